import { RecentBatches, type Batch } from './recent-batches.js';
import type { Segment } from './segment.file.js';

const segment = (first: number): Segment => ({ path: `${first}.jsonl`, first, size: 0, durable: 0 });
const batch = (of: Segment, at: number, end: number): Batch => ({
  segment: of,
  at,
  end,
  messages: [{ key: '', value: `${at}` }],
});

test('batches come in a row from the place that is asked for, as far as they may reach', () => {
  const [first, second] = [segment(1), segment(9)];
  const batches = [batch(first, 10, 20), batch(first, 20, 35), batch(first, 35, 40), batch(second, 0, 10)];
  const recent = new RecentBatches();
  for (const each of batches) recent.add(each);
  expect(recent.from(first, 10, 34)).toEqual(batches.slice(0, 1));
  expect(recent.from(first, 10, 35)).toEqual(batches.slice(0, 2));
  expect(recent.from(first, 10, 99)).toEqual(batches.slice(0, 3));
  expect(recent.from(first, 0, 99)).toEqual([]);
  expect(recent.from(second, 0, 99)).toEqual([]);
});

test('what a segment holds from a place on is known whole or not at all', () => {
  const [first, second] = [segment(1), segment(9)];
  Object.assign(second, { size: 30 });
  const batches = [batch(first, 0, 10), batch(second, 10, 20), batch(second, 20, 30)];
  const recent = new RecentBatches();
  for (const each of batches) recent.add(each);
  expect(recent.since(second, 10)).toEqual(batches.slice(1));
  expect(recent.since(second, 20)).toEqual(batches.slice(2));
  expect(recent.since(second, 30)).toEqual([]);
  expect(recent.since(second, 0)).toBeUndefined();
});

test('what was read is forgotten, with all of its segment', () => {
  const [first, second] = [segment(1), segment(9)];
  const recent = new RecentBatches();
  for (const each of [batch(first, 0, 10), batch(first, 10, 20), batch(second, 0, 10)]) recent.add(each);
  recent.forget(first, 15);
  expect(recent.from(first, 10, 99)).toEqual([batch(first, 10, 20)]);
  recent.forget(first, 20);
  expect(recent.from(second, 0, 99)).toEqual([batch(second, 0, 10)]);
  recent.forget(second, 10);
  expect(recent.from(second, 10, 99)).toEqual([]);
});

test('it says where what it remembers begins behind a place', () => {
  const [first, second] = [segment(1), segment(9)];
  const recent = new RecentBatches();
  for (const each of [batch(first, 10, 20), batch(first, 20, 30)]) recent.add(each);
  expect([0, 10, 15, 20].map((place) => recent.startAfter(first, place))).toEqual([10, 20, 20, undefined]);
  expect(recent.startAfter(second, 0)).toBeUndefined();
});

test('beyond 4 MiB the oldest goes, a batch larger than that at once', () => {
  const MiB = 1024 * 1024;
  const only = segment(1);
  const recent = new RecentBatches();
  for (let at = 0; at < 6; at++) recent.add(batch(only, at * MiB, (at + 1) * MiB));
  expect(recent.startAfter(only, 0)).toBe(2 * MiB);
  expect(recent.from(only, 2 * MiB, 6 * MiB)).toHaveLength(4);
  recent.add(batch(only, 6 * MiB, 11 * MiB));
  expect(recent.from(only, 6 * MiB, 11 * MiB)).toEqual([]);
});

import { eventKey } from '@portcullis/bus/outbox';
import { call } from './events.fixture.js';
import { MAX_LINE, readLine, readLines, type DeadLetter } from './line.js';

const { event, line } = call();
const key = eventKey(event);
const of = (value: string) => ({ key, value });
const changed = (change: Record<string, unknown>) => JSON.stringify({ ...(JSON.parse(line) as object), ...change });

test('an event is taken with the exact text it came as', () => {
  const spaced = JSON.stringify(JSON.parse(line), null, 2);
  expect(readLine(of(spaced))).toMatchObject({ line: spaced, event: { type: 'portcullis.call.v1' } });
});

test('a field that a newer v1 added does no harm', () => {
  expect(readLines([of(changed({ sampled: true }))])).toMatchObject({ accepted: [{}], dead: [] });
});

test.each([
  ['', 'not JSON'],
  ['{"a":', 'not JSON'],
  ['null', 'event: '],
  ['[]', 'event: '],
  [changed({ type: 'portcullis.call.v2' }), 'unknown type "portcullis.call.v2"'],
  [changed({ type: `x${'y'.repeat(9999)}` }), 'unknown type "xy'],
  [changed({ type: '__proto__' }), 'unknown type "__proto__"'],
  [changed({ tenant: 'No/Tenant' }), 'tenant: '],
  [changed({ time: '2026-11-21T00:00:00.000+01:00' }), 'time: '],
  [changed({ seq: 0 }), 'seq: '],
  [changed({ data: {} }), 'data.correlationId: '],
  [`"${'x'.repeat(MAX_LINE)}"`, `longer than ${MAX_LINE} characters`],
  ['"\uD800"', 'not well-formed Unicode'],
])('%.40s is a dead letter', (message, reason) => {
  const dead = readLine(of(message)) as DeadLetter;
  expect(dead.reason.startsWith(reason)).toBe(true);
  expect(dead.reason.length).toBeLessThanOrEqual(500);
  expect(dead.length).toBe(message.length);
  expect(dead.line.length).toBeLessThanOrEqual(4096);
});

test('the reason of a dead letter names fields and holds no values', () => {
  const dead = readLine(of(changed({ tenant: 'S3CRET value', seq: 'S3CRET' }))) as DeadLetter;
  expect(dead.reason).not.toContain('S3CRET');
});

test.each([
  ['no key', ''],
  ['the key of another tenant', key.replace(/^[a-z0-9-]+/, 'other')],
  ['the key of another principal', `${key}x`],
  ['its tenant alone', key.split('/')[0]!],
])('an event under %s is a dead letter, which is not the event of anybody', (_what, wrong) => {
  expect(readLine({ key: wrong, value: line })).toMatchObject({
    reason: 'its key is not that of its tenant and subject',
  });
});

test('what is dead is told beside its message, so that it can be buried', () => {
  const messages = [of(line), of('not JSON'), of(line)];
  const { accepted, dead } = readLines(messages);
  expect(accepted).toHaveLength(2);
  expect(dead).toEqual([{ message: messages[1], letter: expect.objectContaining({ reason: 'not JSON' }) }]);
  expect(dead[0]?.message).toBe(messages[1]);
});

import { afterEach, expect, it } from '@jest/globals';
import { message, sendBy, until } from './bus.contract.js';
import type { Bus, Message } from './bus.js';

const EVENTS = 'portcullis.events';
const STANDING = 'portcullis.standing';

/**
 * What a bus does that outlives the process and that replicas share.
 * @param open gives a bus of a replica; the first two of a test are on the same broker, with nothing published before
 */
export function durableBusContract(open: () => Promise<() => Bus>): void {
  const open2 = async (): Promise<[Bus, Bus]> => {
    const replica = await open();
    const both: [Bus, Bus] = [replica(), replica()];
    opened.push(...both);
    return both;
  };
  const opened: Bus[] = [];
  afterEach(() => Promise.all(opened.splice(0).map((bus) => bus.close())));

  const numbered = (keys: number, each: number): Message[] =>
    Array.from({ length: keys * each }, (_, i) => message(`acme/${i % keys}`, String(Math.floor(i / keys))));
  /** Each key's values, in the order of their first coming. */
  const byKey = (messages: readonly Message[]): Map<string, string[]> => {
    const found = new Map<string, string[]>();
    for (const { key, value } of messages) {
      const before = found.get(key) ?? [];
      if (!before.includes(value)) found.set(key, [...before, value]);
    }
    return found;
  };
  const counted = (each: number): string[] => Array.from({ length: each }, (_, i) => String(i));

  it('keeps what is published before anybody has subscribed', async () => {
    const [one, other] = await open2();
    await sendBy(one, EVENTS, [message('k', '1')]);
    const heard: Message[] = [];
    await other.subscribe(EVENTS, 'a', async (messages) => void heard.push(...messages));
    await until(() => heard.length > 0);
    expect(heard).toEqual([message('k', '1')]);
  });

  it('shares what comes among the replicas of a group, every message to one of them', async () => {
    const [one, other] = await open2();
    const [first, second]: Message[][] = [[], []];
    await one.subscribe(EVENTS, 'a', async (messages) => void first?.push(...messages));
    await other.subscribe(EVENTS, 'a', async (messages) => void second?.push(...messages));
    for (let round = 0; first?.length === 0 || second?.length === 0; round += 1) {
      await sendBy(
        one,
        EVENTS,
        Array.from({ length: 40 }, (_, i) => message(`acme/${i}`, `${round}`)),
      );
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect([first?.length, second?.length]).not.toContain(0);
  });

  it('goes on, after a replica has left, where it was: nothing is lost, and each key keeps its order', async () => {
    const [one, other] = await open2();
    const heard: Message[] = [];
    const hear = async (messages: readonly Message[]): Promise<void> => void heard.push(...messages);
    const leaving = await one.subscribe(EVENTS, 'a', hear);
    const all = numbered(20, 30);
    await sendBy(one, EVENTS, all.slice(0, 300));
    await until(() => heard.length > 0);
    await leaving.stop();
    await sendBy(one, EVENTS, all.slice(300));
    await other.subscribe(EVENTS, 'a', hear);
    await until(() => [...byKey(heard).values()].flat().length === all.length);
    for (const values of byKey(heard).values()) expect(values).toEqual(counted(30));
  });

  it('does not hand out again, after a graceful stop, what was handled', async () => {
    const [one, other] = await open2();
    const first: Message[] = [];
    const subscription = await one.subscribe(EVENTS, 'a', async (messages) => void first.push(...messages));
    await sendBy(one, EVENTS, numbered(10, 10));
    await until(() => first.length === 100);
    await subscription.stop();
    await sendBy(one, EVENTS, [message('k', 'later')]);
    const second: Message[] = [];
    await other.subscribe(EVENTS, 'a', async (messages) => void second.push(...messages));
    await until(() => second.length > 0);
    expect(second).toEqual([message('k', 'later')]);
  });

  it('gives every replica all that a compacted topic holds and gets, whatever their group', async () => {
    const [one, other] = await open2();
    await sendBy(one, STANDING, [message('acme/1', 'held')]);
    const [first, second]: Message[][] = [[], []];
    await one.subscribe(STANDING, 'a', async (messages) => void first?.push(...messages));
    await other.subscribe(STANDING, 'a', async (messages) => void second?.push(...messages));
    await sendBy(other, STANDING, [message('acme/2', 'pushed')]);
    await until(() => first?.length === 2 && second?.length === 2);
    expect(first).toEqual([message('acme/1', 'held'), message('acme/2', 'pushed')]);
    expect(second).toEqual(first);
  });

  it('does not resolve a subscription to a compacted topic while its handler rejects what the topic holds', async () => {
    const [one, other] = await open2();
    await sendBy(one, STANDING, [message('acme/1', 'held')]);
    const events: string[] = [];
    await other.subscribe(STANDING, 'a', async () => {
      events.push('asked');
      if (events.length < 3) throw new Error('not now');
    });
    expect(events).toEqual(['asked', 'asked', 'asked']);
  });
}

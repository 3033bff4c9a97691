import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Bus, Message } from './bus.js';

const EVENTS = 'portcullis.events';
const STANDING = 'portcullis.standing';
type TopicUsed = typeof EVENTS | typeof STANDING;
const message = (key: string, value: string): Message => ({ key, value });
const values = (messages: readonly Message[]): string[] => messages.map(({ value }) => value);

/**
 * What every bus does. A durable bus resolves a publish before the messages are handled and hands a rejected batch out
 * again by itself; the memory bus leaves both to the publisher. So the suite publishes as an outbox does, again until the
 * bus has taken the batch, and waits for what it expects.
 * @param open gives a bus on which nothing was published
 */
export function busContract(open: () => Promise<Bus>): void {
  let bus: Bus;
  beforeEach(async () => {
    bus = await open();
  });
  afterEach(() => bus.close());

  const send = async (topic: TopicUsed, ...batch: Message[]): Promise<void> => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await bus.publish(topic, batch);
      } catch (error) {
        if (tries === 10) throw error;
        await new Promise(setImmediate);
      }
    }
  };

  /** Subscribes and notes every message; the handler is asynchronous, and rejects as often as it is told to. */
  const listen = async (group: string, topic: TopicUsed = EVENTS, failures = 0) => {
    const heard: Message[] = [];
    const subscription = await bus.subscribe(topic, group, async (messages) => {
      await new Promise(setImmediate);
      heard.push(...messages);
      if (failures-- > 0) throw new Error('not now');
    });
    return { heard, ...subscription };
  };

  it('hands messages over whole and in order', async () => {
    const { heard } = await listen('a');
    await send(EVENTS, message('k', '1'), message('k', '2'), message('l', '3 "ü\\n😀'));
    await until(() => heard.length === 3);
    expect(heard.filter(({ key }) => key === 'k')).toEqual([message('k', '1'), message('k', '2')]);
    expect(heard).toContainEqual(message('l', '3 "ü\\n😀'));
  });

  it('keeps the order of a key over many publishes', async () => {
    const { heard } = await listen('a');
    const numbers = Array.from({ length: 50 }, (_, i) => String(i));
    for (const n of numbers) await send(EVENTS, message('k', n), message(`other${n}`, 'x'));
    await until(() => heard.length === 100);
    expect(values(heard.filter(({ key }) => key === 'k'))).toEqual(numbers);
  });

  it('gives every group everything', async () => {
    const [a, b] = [await listen('a'), await listen('b')];
    await send(EVENTS, message('k', '1'));
    await send(EVENTS, message('k', '2'));
    await until(() => a.heard.length === 2 && b.heard.length === 2);
    expect(values(a.heard)).toEqual(['1', '2']);
    expect(values(b.heard)).toEqual(['1', '2']);
  });

  it('does not reach the subscribers of other topics', async () => {
    const [standing, events] = [await listen('a', STANDING), await listen('a', EVENTS)];
    await send(EVENTS, message('k', 'event'));
    await send(STANDING, message('k', 'standing'));
    await until(() => standing.heard.length > 0 && events.heard.length > 0);
    expect(values(standing.heard)).toEqual(['standing']);
    expect(values(events.heard)).toEqual(['event']);
  });

  describe('a handler that rejects', () => {
    it('gets the same batch again', async () => {
      const { heard } = await listen('a', EVENTS, 1);
      await send(EVENTS, message('k', '1'), message('k', '2'));
      await until(() => heard.length === 4);
      expect(values(heard)).toEqual(['1', '2', '1', '2']);
    });

    it('does not see a later batch of the publisher before that', async () => {
      const { heard } = await listen('a', EVENTS, 2);
      await send(EVENTS, message('k', '1'));
      await send(EVENTS, message('k', '2'));
      await until(() => heard.at(-1)?.value === '2');
      expect(values(heard)).toEqual(['1', '1', '1', '2']);
    });

    it('takes nothing from the other groups', async () => {
      const { heard } = await listen('a');
      const failing = await listen('b', EVENTS, 3);
      await send(EVENTS, message('k', '1'));
      await until(() => heard.length > 0 && failing.heard.length === 4);
      expect(new Set(values(heard))).toEqual(new Set(['1']));
    });
  });

  describe('a compacted topic', () => {
    it('hands the last message per key to whoever subscribes later, before subscribe resolves', async () => {
      await send(STANDING, message('k', 'old'), message('l', 'one'));
      await send(STANDING, message('k', 'new'));
      const { heard } = await listen('late', STANDING);
      const last = new Map(heard.map(({ key, value }) => [key, value]));
      expect(Object.fromEntries(last)).toEqual({ k: 'new', l: 'one' });
    });

    it('keeps nothing of a key whose last message is empty, until it comes again', async () => {
      await send(STANDING, message('k', 'old'), message('l', 'one'));
      await send(STANDING, message('k', ''));
      const { heard, stop } = await listen('late', STANDING);
      expect(heard.filter(({ value }) => value !== '')).toEqual([message('l', 'one')]);
      await stop();
      await send(STANDING, message('k', 'anew'));
      const again = (await listen('later', STANDING)).heard.filter(({ value }) => value !== '');
      expect(again).toEqual(expect.arrayContaining([message('k', 'anew'), message('l', 'one')]));
      expect(again).toHaveLength(2);
    });

    it('hands on what is published later too', async () => {
      await send(STANDING, message('k', 'old'));
      const { heard } = await listen('late', STANDING);
      await send(STANDING, message('k', 'new'));
      await until(() => heard.at(-1)?.value === 'new');
      expect(values(heard)).toEqual(['old', 'new']);
    });

    it('ends with the newest message, also when it is published while the subscription begins', async () => {
      await send(STANDING, message('k', 'old'));
      const [{ heard }] = await Promise.all([listen('late', STANDING), send(STANDING, message('k', 'new'))]);
      await until(() => heard.at(-1)?.value === 'new');
    });

    it('keeps what a handler rejected', async () => {
      const failing = await listen('a', STANDING, 1);
      await send(STANDING, message('k', '1'));
      await failing.stop();
      expect(values((await listen('b', STANDING)).heard)).toEqual(['1']);
    });
  });

  describe('stop', () => {
    it('ends the handling, and a group that is gone hinders nobody', async () => {
      const [a, b] = [await listen('a'), await listen('b')];
      await a.stop();
      await send(EVENTS, message('k', '1'));
      await until(() => b.heard.length === 1);
      expect(a.heard).toEqual([]);
    });

    it('waits for the batch that is being handled', async () => {
      let done = false;
      let begun: () => void = () => undefined;
      const inside = new Promise<void>((resolve) => (begun = resolve));
      const subscription = await bus.subscribe(EVENTS, 'a', async () => {
        begun();
        await new Promise(setImmediate);
        done = true;
      });
      const published = send(EVENTS, message('k', '1'));
      await inside;
      await subscription.stop();
      expect(done).toBe(true);
      await published;
    });

    it('lets the group subscribe again', async () => {
      await (await listen('a')).stop();
      const { heard } = await listen('a');
      await send(EVENTS, message('k', '1'));
      await until(() => heard.length > 0);
      expect(values(heard)).toEqual(['1']);
    });
  });

  describe('close', () => {
    it('ends publishing and subscribing', async () => {
      await listen('a');
      await bus.close();
      await expect(bus.publish(EVENTS, [message('k', '1')])).rejects.toThrow('closed');
      await expect(listen('b')).rejects.toThrow('closed');
    });

    it('can be called twice', async () => {
      await bus.close();
      await expect(bus.close()).resolves.toBeUndefined();
    });
  });
}

/** Resolves once it is so; a test that waits in vain is ended by Jest. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1));
}

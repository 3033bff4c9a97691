import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Poison, type Bus, type Message } from './bus.js';
import { deadLetterSchema, type DeadLetter } from './dead-letters.js';

const EVENTS = 'portcullis.events';
const STANDING = 'portcullis.standing';
const DEAD = 'portcullis.dead-letters';
type TopicUsed = typeof EVENTS | typeof STANDING | typeof DEAD;
export const message = (key: string, value: string): Message => ({ key, value });
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

  const send = (topic: TopicUsed, ...batch: Message[]): Promise<void> => sendBy(bus, topic, batch);

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

  it('lets a group hear several topics, each on its own', async () => {
    const [events, dead] = [await listen('a', EVENTS), await listen('a', DEAD)];
    await send(DEAD, message('k', 'dead'));
    await send(EVENTS, message('k', 'event'));
    await until(() => events.heard.length > 0 && dead.heard.length > 0);
    expect([values(events.heard), values(dead.heard)]).toEqual([['event'], ['dead']]);
  });

  describe('a handler that rejects', () => {
    it('gets the same batch again', async () => {
      const { heard } = await listen('a', EVENTS, 1);
      await send(EVENTS, message('k', '1'), message('k', '2'));
      await until(() => heard.length === 4);
      expect(values(heard)).toEqual(['1', '2', '1', '2']);
    });

    it('does not see a later message of the key before that', async () => {
      const batches: string[][] = [];
      await bus.subscribe(EVENTS, 'a', async (messages) => {
        batches.push(values(messages));
        if (batches.length <= 2) throw new Error('not now');
      });
      await send(EVENTS, message('k', '1'));
      await send(EVENTS, message('k', '2'));
      // both may come in the first batch, which is rejected
      await until(() => batches.length > 2 && batches.at(-1)?.at(-1) === '2');
      expect(batches.slice(0, 3).map(([first]) => first)).toEqual(['1', '1', '1']);
    });

    it('takes nothing from the other groups', async () => {
      const { heard } = await listen('a');
      const failing = await listen('b', EVENTS, 3);
      await send(EVENTS, message('k', '1'));
      await until(() => heard.length > 0 && failing.heard.length === 4);
      expect(new Set(values(heard))).toEqual(new Set(['1']));
    });
  });

  describe('a message that its handler calls poisoned', () => {
    /** Takes what is dead and what is not; the message `bad` is poisoned. */
    const takeAll = async () => {
      const letters: DeadLetter[] = [];
      await bus.subscribe(DEAD, 'morgue', async (messages) => {
        letters.push(...messages.map(({ value }) => deadLetterSchema.parse(JSON.parse(value))));
      });
      const taken: string[] = [];
      await bus.subscribe(EVENTS, 'a', async (messages) => {
        const poisoned = messages.find(({ value }) => value === 'bad');
        if (poisoned) throw new Poison(poisoned, 'a version that is not known');
        taken.push(...values(messages));
      });
      return { letters, taken };
    };

    it('is a dead letter that says why, and the others are handled in their order', async () => {
      const { letters, taken } = await takeAll();
      await send(EVENTS, message('acme/k', '1'), message('acme/k', 'bad'), message('acme/k', '2'));
      await until(() => taken.length === 2 && letters.length > 0);
      expect(taken).toEqual(['1', '2']);
      expect(letters[0]).toMatchObject({
        reason: 'a version that is not known',
        group: 'a',
        topic: EVENTS,
        key: 'acme/k',
        text: 'bad',
      });
    });

    it('does not keep what comes later from being handled', async () => {
      const { taken } = await takeAll();
      await send(EVENTS, message('k', 'bad'));
      await send(EVENTS, message('k', '2'));
      await until(() => taken.length === 1);
      expect(taken).toEqual(['2']);
    });

    it('is not one when it is not of the batch: then the batch comes again', async () => {
      let tries = 0;
      await bus.subscribe(EVENTS, 'a', async () => {
        if (++tries === 1) throw new Poison(message('k', '1'), 'not mine');
      });
      await send(EVENTS, message('k', '1'));
      await until(() => tries === 2);
    });
  });

  it('keeps what two tenants call alike apart', async () => {
    await send(STANDING, message('acme/x', 'a'), message('beta/x', 'b'));
    await send(STANDING, message('acme/x', ''));
    const { heard } = await listen('late', STANDING);
    const last = new Map(heard.map(({ key, value }) => [key, value]));
    expect([last.get('acme/x') ?? '', last.get('beta/x'), last.get('x')]).toEqual(['', 'b', undefined]);
  });

  it('refuses a second subscriber of a group', async () => {
    await listen('a');
    await expect(listen('a')).rejects.toThrow('group a has subscribed');
    await listen('a', STANDING);
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
      const kept = (heard: readonly Message[]): Record<string, string> => {
        const last = new Map(heard.map(({ key, value }) => [key, value]));
        return Object.fromEntries([...last].filter(([, value]) => value !== ''));
      };
      const { heard, stop } = await listen('late', STANDING);
      expect(kept(heard)).toEqual({ l: 'one' });
      await stop();
      await send(STANDING, message('k', 'anew'));
      expect(kept((await listen('later', STANDING)).heard)).toEqual({ k: 'anew', l: 'one' });
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

/** Publishes as an outbox does: again, until the bus has taken it. */
export async function sendBy(bus: Bus, topic: TopicUsed, batch: readonly Message[]): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await bus.publish(topic, batch);
    } catch (error) {
      if (tries === 10) throw error;
      await new Promise(setImmediate);
    }
  }
}

/** Resolves once it is so; a test that waits in vain is ended by Jest. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1));
}

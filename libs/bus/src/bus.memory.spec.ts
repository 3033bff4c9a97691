import { describe, expect, it } from '@jest/globals';
import { memoryBus } from './bus.memory.js';
import { busContract } from './bus.contract.js';
import { Poison, type Message } from './bus.js';

const EVENTS = 'portcullis.events';
const STANDING = 'portcullis.standing';
const one: Message = { key: 'k', value: '1' };
const two: Message = { key: 'k', value: '2' };

describe('the memory bus', () => {
  busContract(() => Promise.resolve(memoryBus()));

  it('resolves a publish after every group has handled it', async () => {
    const bus = memoryBus();
    const handled: string[] = [];
    for (const group of ['a', 'b']) {
      await bus.subscribe(EVENTS, group, async () => {
        await new Promise(setImmediate);
        handled.push(group);
      });
    }
    await bus.publish(EVENTS, [one]);
    expect(handled).toEqual(['a', 'b']);
  });

  it('rejects a publish with what a handler threw, after the others have handled it', async () => {
    const bus = memoryBus();
    const handled: Message[] = [];
    await bus.subscribe(EVENTS, 'a', () => Promise.reject(new Error('not now')));
    await bus.subscribe(EVENTS, 'b', async (messages) => {
      await new Promise(setImmediate);
      handled.push(...messages);
    });
    await expect(bus.publish(EVENTS, [one])).rejects.toThrow('not now');
    expect(handled).toEqual([one]);
  });

  it('turns what a handler throws at once into a rejection', async () => {
    const bus = memoryBus();
    await bus.subscribe(EVENTS, 'a', () => {
      throw new Error('at once');
    });
    await expect(bus.publish(EVENTS, [one])).rejects.toThrow('at once');
  });

  it('hands a handler one batch at a time, in the order of many publishes under way at once', async () => {
    const bus = memoryBus();
    let inside = 0;
    let most = 0;
    const heard: string[] = [];
    await bus.subscribe(EVENTS, 'a', async ([message]) => {
      most = Math.max(most, (inside += 1));
      await new Promise(setImmediate);
      heard.push(message?.value ?? '');
      inside -= 1;
    });
    const numbers = Array.from({ length: 20 }, (_, i) => String(i));
    await Promise.all(numbers.map((value) => bus.publish(EVENTS, [{ key: 'k', value }])));
    expect([most, heard]).toEqual([1, numbers]);
  });

  it('takes a copy of the batch', async () => {
    const bus = memoryBus();
    const heard: Message[] = [];
    await bus.subscribe(EVENTS, 'a', async (messages) => void heard.push(...messages));
    const batch = [one, two];
    const published = bus.publish(EVENTS, batch);
    batch.length = 0;
    await published;
    expect(heard).toEqual([one, two]);
  });

  it('refuses messages that nobody has subscribed to, since it could not keep them', async () => {
    const bus = memoryBus();
    await expect(bus.publish(EVENTS, [one])).rejects.toThrow('nobody has subscribed');
    const { stop } = await bus.subscribe(EVENTS, 'a', async () => undefined);
    await stop();
    await expect(bus.publish(EVENTS, [one])).rejects.toThrow('nobody has subscribed');
  });

  it('takes messages for a compacted topic that nobody has subscribed to', async () => {
    await expect(memoryBus().publish(STANDING, [one])).resolves.toBeUndefined();
  });

  it('refuses a subscription whose handler rejects what the topic holds, and lets it be tried again', async () => {
    const bus = memoryBus();
    await bus.publish(STANDING, [one]);
    await expect(bus.subscribe(STANDING, 'a', () => Promise.reject(new Error('not now')))).rejects.toThrow('not now');
    await expect(bus.subscribe(STANDING, 'a', async () => undefined)).resolves.toBeDefined();
  });

  it('keeps a poisoned message with its publisher while nobody takes dead letters', async () => {
    const bus = memoryBus();
    await bus.subscribe(EVENTS, 'a', async ([message]) => {
      if (message) throw new Poison(message, 'of another version');
    });
    await expect(bus.publish(EVENTS, [one])).rejects.toThrow('nobody has subscribed to portcullis.dead-letters');
  });

  it('makes no dead letter of a dead letter', async () => {
    const bus = memoryBus();
    await bus.subscribe('portcullis.dead-letters', 'a', async ([message]) => {
      if (message) throw new Poison(message, 'of another version');
    });
    await expect(bus.publish('portcullis.dead-letters', [one])).rejects.toThrow('a dead letter cannot be taken');
  });

  it('refuses what a stopped subscriber had no chance to handle', async () => {
    const bus = memoryBus();
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const { stop } = await bus.subscribe(EVENTS, 'a', () => gate);
    const first = bus.publish(EVENTS, [one]);
    const refused = expect(bus.publish(EVENTS, [two])).rejects.toThrow('stopped');
    await Promise.resolve();
    const stopped = stop();
    release();
    await Promise.all([first, refused, stopped]);
  });
});

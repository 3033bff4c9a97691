import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { AuditEvent } from '@portcullis/audit-schemas/envelope';
import { silentLog } from '@portcullis/contract/log';
import { REFUSALS } from '@portcullis/contract/refusals';
import { breaking, freePort } from '../../../tools/test/breaking.mjs';
import { KafkaContainer, type StartedKafkaContainer } from '../../../tools/test/kafka-container.mjs';
import type { Message } from './bus.js';
import { kafkajsBus } from './bus.kafkajs.kafka.js';
import { platformaticBus } from './bus.platformatic.kafka.js';
import { directEventLog } from './direct-log.memory.js';
import type { EventLog } from './outbox.js';
import { chainOf, draft, ids } from './outbox.fixture.js';

// With a broker of this file's own, which is broken while events are appended.
let container: StartedKafkaContainer;
let broker: Awaited<ReturnType<typeof breaking>>;
beforeAll(async () => {
  container = await new KafkaContainer().withFixedPort(await freePort()).start();
  broker = await breaking(container);
});
afterAll(() => container?.stop());

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});
const wait = (ms: number): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, ms));
const until = async (isSo: () => boolean): Promise<void> => {
  for (let tries = 0; !isSo(); tries++) {
    if (tries > 5_000) throw new Error('it did not come');
    await wait(20);
  }
};

/** Answered at last: a machine that does much else may take longer than an answer waits. */
const kept = (log: EventLog, method: string): Promise<AuditEvent> =>
  log.append(draft(method)).catch(() => kept(log, method));

describe.each([
  ['@platformatic/kafka', 'p', platformaticBus],
  ['kafkajs', 'k', kafkajsBus],
])('events straight to Kafka, by %s', (_library, short, make) => {
  let tests = 0;
  /** A log whose answers wait so long for the broker, and all that the topic holds. */
  async function started(waitMs: number) {
    const options = {
      brokers: [container.getBroker()],
      clientId: 'direct',
      topicPrefix: `direct-${short}${(tests += 1)}-`,
      timeoutMs: 2_000,
      log: silentLog,
    };
    const bus = make(options);
    // the topics are made, and the brokers known
    await bus.publish('portcullis.revocations', [{ key: 'a', value: '{}' }]);
    const log = directEventLog({
      service: 'mcp-server',
      bus,
      now: Date.now,
      newId: ids(),
      log: silentLog,
      waitMs,
    });
    opened.push(bus, log);
    return {
      log,
      /** What a reader that comes now is handed, until it has `last`. */
      async read(last: AuditEvent): Promise<string[]> {
        const lines: string[] = [];
        const take = async (all: readonly Message[]): Promise<void> =>
          void lines.push(...all.map(({ value }) => value));
        const reader = platformaticBus(options);
        opened.push(reader);
        // a broker that is back may not know for a while that it leads the group
        let reading = false;
        for (let tries = 0; !reading && tries < 200; tries++) {
          reading = await reader.subscribe('portcullis.events', `spec-${tries}`, take).then(
            () => true,
            () => wait(100).then(() => false),
          );
        }
        await until(() => lines.some((line) => line.includes(last.id)));
        return lines;
      },
    };
  }

  /** Appends events by the hundred and more while `breaks` runs; and one more, which is answered when all is well again. */
  async function through(breaks: () => Promise<void>) {
    const { log, read } = await started(1_000);
    const answered: AuditEvent[] = [];
    const refused: { code?: unknown }[] = [];
    let [running, named] = [true, 0];
    const appending = (async () => {
      const all: Promise<unknown>[] = [];
      while (running) {
        const appended = log.append(draft(`m${(named += 1)}`));
        all.push(appended.then((event) => answered.push(event)).catch((error: object) => refused.push(error)));
        await wait(10);
      }
      await Promise.all(all);
    })();
    await until(() => answered.length > 50);
    await breaks();
    const before = answered.length;
    await until(() => answered.length > before + 50);
    running = false;
    await appending;
    const lines = await read(await kept(log, 'the last'));
    return { log, answered, refused, lines };
  }
  const expectWhole = ({ log, answered, refused, lines }: Awaited<ReturnType<typeof through>>): void => {
    // one chain without a gap once what came twice is left out, and all in it that was answered
    const stored = new Set(lines.map((line) => (JSON.parse(line) as AuditEvent).id));
    expect(chainOf(lines)).toHaveLength(stored.size);
    expect(answered.filter(({ id }) => !stored.has(id))).toEqual([]);
    expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(['overloaded']));
    expect(log.stats()).toMatchObject({ lost: 0, pending: 0, failing: false });
  };

  it('are answered when the broker has them, each once', async () => {
    const { log, read } = await started(30_000);
    const all = await Promise.all(Array.from({ length: 200 }, (_, n) => log.append(draft(`m${n}`))));
    const lines = await read(all.at(-1)!);
    expect(lines).toEqual(all.map((event) => JSON.stringify(event)));
  });

  it('are withheld while the broker does not answer, refused before it does, and whole afterwards', async () => {
    const outcome = await through(async () => {
      await broker.pause();
      try {
        // longer than any request waits
        await wait(5_000);
      } finally {
        await broker.unpause();
      }
    });
    expectWhole(outcome);
    expect(REFUSALS.overloaded.http).toBe(503);
  });

  it('are refused by a broker that does not answer, while it does not', async () => {
    const { log, read } = await started(3_000);
    const first = await log.append(draft('first'));
    await broker.pause();
    try {
      await expect(log.append(draft('second'))).rejects.toMatchObject({
        code: 'overloaded',
        facts: { retryAfterMs: expect.any(Number) },
      });
      expect(log.stats()).toMatchObject({ pending: 1 });
    } finally {
      await broker.unpause();
    }
    // what was refused is there all the same: its number was given
    const lines = await read(await kept(log, 'third'));
    expect(chainOf(lines).slice(0, 3)).toEqual(['first', 'second', 'third']);
    expect(lines[0]).toContain(first.id);
  });

  // which client serves is chosen in docs/decisions/0018; the other one takes half a minute to come back
  if (make === platformaticBus) {
    it('are whole after a broker that was killed', async () => {
      expectWhole(
        await through(async () => {
          await broker.kill();
          await wait(3_000);
          await broker.startAgain();
        }),
      );
    });
  }
});

import { afterAll, describe, expect, it } from '@jest/globals';
import { silentLog } from '@portcullis/contract/log';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { countLosses } from './counted-losses.js';
import { directEventLog } from './direct-log.memory.js';
import { eventLogContract, refusingLogContract, type LogUnderTest } from './event-log.contract.js';
import { fileEventLog } from './event-log.file.js';
import { memoryEventLog } from './event-log.memory.js';
import {
  draft,
  ids,
  notingBus,
  openTestOutbox,
  removeTemporaryDirectories,
  temporaryDirectory,
} from './outbox.fixture.js';

const parts = () => ({ service: 'mcp-server', newId: ids(), now: Date.now, log: silentLog });
const bussed = async (
  open: (bus: ReturnType<typeof notingBus>) => Promise<LogUnderTest['log']>,
): Promise<LogUnderTest> => {
  const bus = notingBus();
  return { log: await open(bus), lines: () => bus.taken.map(({ value }) => value) };
};

const LOGS: Readonly<Record<string, () => Promise<LogUnderTest>>> = {
  'in memory': async () => {
    const lines: string[] = [];
    return { log: memoryEventLog({ ...parts(), onEvent: (_, line) => lines.push(line) }), lines: () => lines };
  },
  'in a file': async () => {
    const path = join(temporaryDirectory(), 'events.jsonl');
    const lines = () => readFileSync(path, 'utf8').split('\n').slice(0, -1);
    return { log: fileEventLog({ ...parts(), path }), lines };
  },
  'the outbox': () => bussed((bus) => openTestOutbox(temporaryDirectory(), bus, { segmentBytes: 5000 })),
  'the outbox, all synced': () =>
    bussed((bus) => openTestOutbox(temporaryDirectory(), bus, { segmentBytes: 5000, sync: 'all' })),
  'straight to the bus': () => bussed(async (bus) => directEventLog({ ...parts(), bus })),
};
for (const [name, open] of Object.entries(LOGS)) {
  eventLogContract(name, open);
  refusingLogContract(name, open);
  const counting = async (): Promise<LogUnderTest> => {
    const { log, lines } = await open();
    return { log: countLosses(log, parts()), lines };
  };
  eventLogContract(`${name}, losses counted`, counting);
}

describe('a file that is none', () => {
  it('has no disk to wait for', async () => {
    const log = fileEventLog({ ...parts(), path: '/dev/null' });
    await expect(log.append(draft(), { synced: true })).resolves.toMatchObject({ seq: 1 });
    await log.close();
  });
});

afterAll(removeTemporaryDirectories);

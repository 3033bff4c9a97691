import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventDraft } from '@portcullis/audit-schemas/envelope';
import { fileEventLog } from './event-log.file.js';
import { memoryEventLog } from './event-log.memory.js';
import { follow, type ChainHead } from './outbox.js';

let ids = 0;
const newId = (): string => `00000000-0000-7000-8000-${String((ids += 1)).padStart(12, '0')}`;
const draft = (tool: string): EventDraft => ({
  type: 'portcullis.call.v1',
  tenant: 'default',
  subject: undefined,
  at: 1_800_000_000_000,
  data: {
    correlationId: newId(),
    method: 'tools/call',
    tool,
    outcome: 'allowed',
    denial: false,
    http: 200,
    durationMs: 1,
    stepsMs: {},
    address: '127.0.0.1',
    client: {},
  },
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-events-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const chained = (lines: readonly string[]): (ChainHead | undefined)[] => {
  let head: ChainHead | undefined;
  return lines.map((line) => (head = follow(head, line)));
};

describe('events in memory', () => {
  test('are told as they come, and the newest are held', async () => {
    const lines: string[] = [];
    const log = memoryEventLog({ service: 'notes', newId, keep: 2, onEvent: (_event, line) => lines.push(line) });
    for (let i = 0; i < 5; i += 1) await log.append(draft(`tool_${i}`));
    expect(log.recent().map(({ data }) => (data as { tool: string }).tool)).toEqual(['tool_3', 'tool_4']);
    expect(chained(lines).map((head) => head?.seq)).toEqual([1, 2, 3, 4, 5]);
    expect(log.stats()).toEqual({ spooled: 5, pending: 0, lost: 0 });
    await log.close();
  });
});

describe('events in a file', () => {
  const linesOf = (path: string): string[] => readFileSync(path, 'utf8').trimEnd().split('\n');

  test('are lines of one chain, in order, for their owner only', async () => {
    const path = join(folder, 'events.jsonl');
    const log = fileEventLog({ path, service: 'notes', newId });
    await Promise.all(['a', 'b', 'c'].map((tool) => log.append(draft(tool))));
    await log.close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(linesOf(path).map((line) => (JSON.parse(line) as { data: { tool: string } }).data.tool)).toEqual([
      'a',
      'b',
      'c',
    ]);
    expect(chained(linesOf(path)).map((head) => head?.seq)).toEqual([1, 2, 3]);
  });

  test('are added to those that are there', async () => {
    const path = join(folder, 'events.jsonl');
    for (const tool of ['a', 'b']) {
      const log = fileEventLog({ path, service: 'notes', newId });
      await log.append(draft(tool));
      await log.close();
    }
    expect(linesOf(path)).toHaveLength(2);
  });

  test('are refused when they cannot be written, and after the end', async () => {
    const full = fileEventLog({ path: '/dev/full', service: 'notes', newId });
    await expect(full.append(draft('a'))).rejects.toMatchObject({ code: 'overloaded' });
    expect(full.stats()).toMatchObject({ spooled: 0, failing: true });
    await full.close();
    await expect(full.append(draft('a'))).rejects.toMatchObject({ code: 'overloaded' });
  });
});

import { silentLog } from '@portcullis/contract/log';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventDraft } from '@portcullis/audit-schemas/envelope';
import type { Bus, Message } from './bus.js';
import { follow, type ChainHead } from './outbox.js';
import { openOutbox, type OutboxOptions } from './outbox.file.js';
import { isSeal } from './segment.file.js';

/** For specs: a bus that notes what it takes, and refuses or hangs when told to. */
export interface NotingBus extends Bus {
  /** every message taken, in order, repeated ones too */
  readonly taken: Message[];
  mode: 'takes' | 'refuses' | 'hangs';
  /** publishes that were tried */
  tries: number;
}

export function notingBus(mode: NotingBus['mode'] = 'takes'): NotingBus {
  const bus: NotingBus = {
    taken: [],
    mode,
    tries: 0,
    async publish(_topic, messages) {
      bus.tries += 1;
      if (bus.mode === 'refuses') throw new Error('the bus refuses');
      if (bus.mode === 'hangs') await new Promise(() => undefined);
      bus.taken.push(...messages);
    },
    subscribe: () => Promise.reject(new Error('this bus only takes notes')),
    close: () => Promise.resolve(),
  };
  return bus;
}

const made: string[] = [];
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'portcullis-outbox-'));
  made.push(path);
  return path;
}
/** For afterAll. */
export function removeTemporaryDirectories(): void {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
}

export const draft = (method = 'tools/call', tenant = 'default'): EventDraft => ({
  type: 'portcullis.call.v1',
  tenant,
  subject: 'agt_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  at: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  data: { correlationId: id(0), method, outcome: 'allowed', denial: false, http: 200, durationMs: 1.5 },
});

const id = (n: number): string => `019b7d5e-0000-7000-8000-${String(n).padStart(12, '0')}`;
export const ids = (): (() => string) => {
  let n = 0;
  return () => id((n += 1));
};

export const openTestOutbox = (dir: string, bus: Bus, more: Partial<OutboxOptions> = {}) =>
  openOutbox({
    dir,
    bus,
    service: 'mcp-server',
    now: Date.now,
    newId: ids(),
    log: silentLog,
    maxBackoffMs: 5,
    ...more,
  });

/** Copies a directory as a process that is killed now would leave it: the files, and no lock. */
export function asKilled(dir: string): string {
  const copy = temporaryDirectory();
  cpSync(dir, copy, { recursive: true, filter: (path) => !/lock(-journal)?$/.test(path) });
  return copy;
}

export const segmentsIn = (dir: string): string[] =>
  readdirSync(dir)
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
    .map((name) => join(dir, name));

export const linesIn = (dir: string): string[] =>
  segmentsIn(dir)
    .flatMap((path) => readFileSync(path, 'utf8').split('\n').slice(0, -1))
    .filter((line) => !isSeal(line));

/**
 * Follows a chain from its start through what was shipped, leaving out what was shipped again.
 * @returns the methods of the events, which is where specs put their names
 * @throws when a number is missing, comes with another line, or is out of order
 */
export function chainOf(lines: readonly string[]): string[] {
  const methods: string[] = [];
  const seen = new Map<number, string>();
  let head: ChainHead | undefined;
  for (const line of lines) {
    const event = JSON.parse(line) as { seq: number; data: { method: string } };
    const before = seen.get(event.seq);
    if (before === line) continue;
    if (before !== undefined) throw new Error(`number ${event.seq} stands for two events`);
    if (head === undefined && event.seq !== 1) throw new Error(`the chain begins with ${event.seq}`);
    const next = follow(head, line);
    if (next === undefined) throw new Error(`event ${event.seq} does not follow ${head?.seq}`);
    head = next;
    seen.set(event.seq, line);
    methods.push(event.data.method);
  }
  return methods;
}

/** Resolves once it is so. A loop without an end would keep the process of the tests alive after they failed. */
export async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; !isSo(); tries += 1) {
    if (tries > 50_000) throw new Error('it did not come');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

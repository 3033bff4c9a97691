import type { AuditEvent, EventData } from '@portcullis/audit-schemas/envelope';
import { link, newChain } from '@portcullis/bus/outbox';
import { silentLog } from '@portcullis/contract/log';
import { Refusal, type RefusalCode } from '@portcullis/contract/refusals';
import { accessTokenClaims, callerOf, type Caller } from '@portcullis/scopes/caller';
import * as fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import * as z from 'zod';
import { runningCalls } from '../deadline.memory.js';
import { memoryHistory } from '../history.memory.js';
import type { GuardPorts } from '../pipeline.js';
import { memorySlots } from '../slots.memory.js';
import { defineTool, toolRegistry, type ToolContext } from '../tool.js';
import type { Answer } from './answer.js';
import { frontDoor } from './door.js';
import type { Inbound } from './inbound.js';
import { callLedger } from './ledger.js';

/** What becomes of a request, and the outcome that its event has to tell. */
const FATES = {
  'no token': 'token_missing',
  'a revoked token': 'token_invalid',
  'a contained agent': 'quarantined',
  'too many arrivals': 'rate_limited',
  'a body that breaks off': 'request_invalid',
  'a body that is no JSON': 'json_malformed',
  'a batch': 'batch_unsupported',
  'an unknown tool': 'tool_unknown',
  'a missing scope': 'scope_insufficient',
  'too many calls': 'rate_limited',
  'a limiter that fails': 'internal',
  'wrong arguments': 'input_invalid',
  success: 'allowed',
  'a tool that throws': 'tool_failed',
  'a tool that refuses': 'row_forbidden',
  'an output that is none': 'tool_failed',
  'a tool that is late': 'tool_failed',
  'a tool that is late and heeds it': 'tool_failed',
  'a client that left before': 'cancelled',
  'a client that leaves': 'cancelled',
} as const satisfies Record<string, RefusalCode | 'allowed'>;
type Fate = keyof typeof FATES;

interface Story {
  readonly fate: Fate;
  /** the tool has an effect */
  readonly writes: boolean;
  /** what cannot be kept of it */
  readonly lost: 'nothing' | 'attempted' | 'outcome';
}
const story = fc.record<Story>({
  fate: fc.constantFrom(...(Object.keys(FATES) as Fate[])),
  writes: fc.boolean(),
  lost: fc.oneof({ weight: 4, arbitrary: fc.constant('nothing') }, fc.constantFrom('attempted', 'outcome')),
});
const SECRET = 'the database password is hunter2';

function gate(stories: readonly Story[], maxCalls: number) {
  const now = Date.now;
  /** what happened, in order: `attempted N`, `executed N`, `told N` */
  const journal: string[] = [];
  const kept: AuditEvent[] = [];
  const leases = new Set<string>();
  const misused: string[] = [];
  const begun = new Set<number>();
  const late: (() => void)[] = [];
  const ids = stories.map(() => uuidv7());
  const principals = new Map<string, number>();
  const tellOf = (caller: Caller): Story => stories[Number(caller.clientId)]!;

  const execute = async ({ n }: { n: number }, _deps: unknown, { signal }: ToolContext) => {
    journal.push(`executed ${n}`);
    begun.add(n);
    const { fate } = stories[n]!;
    if (fate === 'a tool that throws') throw new Error(SECRET);
    if (fate === 'a tool that refuses') throw new Refusal('row_forbidden');
    if (fate === 'an output that is none') return { wrong: SECRET } as never;
    if (fate === 'a tool that is late') await new Promise<void>((resolve) => late.push(resolve));
    if (fate === 'a tool that is late and heeds it' || fate === 'a client that leaves')
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error(SECRET))));
    return { done: true };
  };
  const tool = (name: string, effect: 'writes' | 'none') =>
    defineTool({
      name,
      description: '',
      scopes: ['customer:read'],
      effects: [effect],
      limit: { perMinute: 60, llmTokens: 500 },
      deadlineMs: 8,
      input: z.strictObject({ n: z.int() }),
      output: z.strictObject({ done: z.boolean() }),
      execute,
    });
  const tools = toolRegistry([tool('write', 'writes'), tool('look', 'none')]);

  const take = (lease: string): boolean => {
    if (!leases.delete(lease)) misused.push(lease);
    return true;
  };
  const slots = memorySlots({ maxCalls, maxCallsPerAgent: 32, maxHeldBytes: 1024 * 1024 });
  const guard: GuardPorts = {
    callerOf: ({ authorization: [n] }) => {
      const { fate } = stories[Number(n)]!;
      if (fate === 'no token') throw new Refusal('token_missing');
      const caller = callerOf(
        accessTokenClaims.parse({
          iss: 'i',
          aud: 'a',
          sub: n,
          client_id: n,
          jti: 'j',
          iat: 0,
          exp: now() / 1000 + 60,
          // a tenant has half of the slots, so each has its own here
          tenant: `acme-${n}`,
          scope: fate === 'a missing scope' ? 'ticket:read' : 'customer:read',
          ceiling: 'customer:read ticket:read',
        }),
      );
      principals.set(caller.principal, Number(n));
      return { caller, dpopNonce: undefined };
    },
    isRevoked: (caller) => tellOf(caller).fate === 'a revoked token',
    stateOf: (caller) => (tellOf(caller).fate === 'a contained agent' ? 'Isolated' : 'Normal'),
    limiter: {
      decide: async ({ principal, stage = 'call' }) => {
        const { fate } = stories[principals.get(principal)!]!;
        if (fate === 'a limiter that fails') throw new Error(SECRET);
        if (fate === (stage === 'arrival' ? 'too many arrivals' : 'too many calls'))
          return { allowed: false, limitType: 'requests', limit: 1, remaining: 0, retryAfterMs: 1 };
        const lease = uuidv7();
        if (stage === 'call') leases.add(lease);
        return { allowed: true, lease, remaining: 1 };
      },
      settle: async (_tenant, lease) => take(lease),
      release: async (_tenant, lease) => take(lease),
      close: async () => {},
    },
    slots,
    running: runningCalls(2),
    history: memoryHistory(now),
    depsFor: () => undefined,
    redact: (_schema, output) => output,
    now,
  };
  let head = newChain('mcp-server', uuidv7());
  const events = {
    append: async (draft: Parameters<typeof link>[1]): Promise<AuditEvent> => {
      const { correlationId, outcome } = draft.data as EventData<'portcullis.call.v1'>;
      const n = ids.indexOf(correlationId);
      const which = outcome === 'attempted' ? 'attempted' : 'outcome';
      if (stories[n]!.lost === which) throw new Refusal('overloaded');
      const next = link(head, draft, uuidv7());
      head = next.head;
      kept.push(next.event);
      journal.push(`${which === 'outcome' ? 'told' : which} ${n}`);
      return next.event;
    },
    close: async () => {},
    stats: () => ({ spooled: 0, pending: 0, lost: 0 }),
  };
  const door = frontDoor({
    guard,
    tools,
    resources: [],
    serverInfo: { name: 'test', version: '0' },
    others: { answer: () => Promise.reject(new Error('not asked')), close: async () => {} },
    streams: { open: () => undefined, watch: () => undefined, close: () => undefined } as never,
    ledger: callLedger({ limiter: guard.limiter, events, auditDigestKey: randomBytes(32), now, log: silentLog }),
    neighbourhood: { hostAllowed: () => true, originAllowed: () => true },
    challenge: { resourceMetadata: 'https://x.example/.well-known', scopes: [] },
    log: silentLog,
  });

  const bodyOf = ({ fate, writes }: Story, n: number): string => {
    const name = fate === 'an unknown tool' ? 'nothing' : writes ? 'write' : 'look';
    const args = fate === 'wrong arguments' ? { n, more: 1 } : { n };
    const message = { jsonrpc: '2.0', id: n, method: 'tools/call', params: { name, arguments: args } };
    if (fate === 'a body that is no JSON') return '{';
    return JSON.stringify(fate === 'a batch' ? [message] : message);
  };
  const inbound = (of: Story, n: number): Inbound => ({
    correlationId: ids[n]!,
    at: now(),
    address: '127.0.0.1',
    client: {},
    method: 'POST',
    secure: true,
    hosts: ['x'],
    origin: undefined,
    preflightFor: undefined,
    preflightHeaders: undefined,
    authorization: [String(n)],
    dpop: [],
    contentType: 'application/json',
    contentEncoding: undefined,
    headers: { version: '2025-11-25', method: undefined, name: undefined },
    header: () => undefined,
    readBody: async (_maxBytes, slot) => {
      if (of.fate === 'a body that breaks off') throw new Refusal('request_invalid');
      const body = bodyOf(of, n);
      slot.hold(body.length);
      return body;
    },
    isGone: () => of.fate === 'a client that left before' || (of.fate === 'a client that leaves' && begun.has(n)),
    acceptsEvents: () => false,
    openStream: () => undefined,
  });
  return {
    journal,
    leases,
    misused,
    slots,
    /** all at once */
    all: (): Promise<Answer[]> => Promise.all(stories.map((each, n) => door(inbound(each, n)))),
    /** lets the tools that were given up end after all */
    endLate: async (): Promise<void> => {
      for (const end of late) end();
      await new Promise((resolve) => setImmediate(resolve));
    },
    stuck: () => late.length,
    callsOf: (n: number) =>
      kept.flatMap((event) =>
        event.type === 'portcullis.call.v1' && event.data.correlationId === ids[n]
          ? [{ id: event.id, ...event.data }]
          : [],
      ),
  };
}

it('whatever becomes of requests, each has one event, no effect is without its attempt, and all that was held is given back', async () => {
  const stories = fc.array(story, { minLength: 1, maxLength: 10 });
  await fc.assert(
    fc.asyncProperty(stories, fc.integer({ min: 1, max: 10 }), async (told, maxCalls) => {
      const { journal, leases, misused, slots, all, endLate, stuck, callsOf } = gate(told, maxCalls);
      const answers = await all();
      // only tools that were given up and have not ended hold a slot
      expect(slots.inUse().calls).toBe(stuck());
      await endLate();
      expect(slots.inUse()).toEqual({ calls: 0, agents: 0, tenants: 0, bytes: 0 });
      expect([...leases, ...misused]).toEqual([]);

      for (const [n, { fate, writes, lost }] of told.entries()) {
        const { status, body = '' } = answers[n]!;
        const events = callsOf(n);
        const attempted = events.filter(({ outcome }) => outcome === 'attempted');
        const [outcome, ...more] = events.filter((event) => event.outcome !== 'attempted');
        const executed = journal.filter((entry) => entry === `executed ${n}`).length;

        expect(body).not.toContain(SECRET);
        expect(more).toEqual([]);
        if (lost === 'outcome') {
          expect([outcome, status]).toEqual([undefined, 503]);
        } else if (outcome?.outcome === 'overloaded') {
          // shed by the slots, or by a spool that could not keep the attempt
          expect(maxCalls < told.length || (writes && lost === 'attempted')).toBe(true);
          expect(executed).toBe(0);
        } else expect(outcome?.outcome).toBe(FATES[fate]);
        if (status >= 500) expect(answers[n]!.headers['Retry-After']).toBe('1');
        if (outcome !== undefined) expect(outcome.http).toBe(status);

        expect(attempted.length).toBe(writes ? executed : 0);
        expect(executed).toBeLessThanOrEqual(1);
        if (outcome !== undefined) expect(outcome.attempt).toBe(attempted[0]?.id);
        const order = journal.filter((entry) => entry.endsWith(` ${n}`));
        expect(order).toEqual([
          ...(writes && executed ? [`attempted ${n}`] : []),
          ...(executed ? [`executed ${n}`] : []),
          ...(lost === 'outcome' ? [] : [`told ${n}`]),
        ]);
      }
    }),
    { numRuns: 200 },
  );
});

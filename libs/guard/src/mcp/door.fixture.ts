import type { AuditEvent, EventData, EventDraft } from '@portcullis/audit-schemas/envelope';
import { link, newChain, type AppendOptions } from '@portcullis/bus/outbox';
import { silentLog } from '@portcullis/contract/log';
import { Refusal } from '@portcullis/contract/refusals';
import { accessTokenClaims, callerOf, type Caller } from '@portcullis/scopes/caller';
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { v7 as uuidv7 } from 'uuid';
import * as z from 'zod';
import { memoryApprovals } from '../approvals.memory.js';
import { chainTable } from '../chain.js';
import { runningCalls } from '../deadline.memory.js';
import { memoryHistory } from '../history.memory.js';
import type { GuardPorts } from '../pipeline.js';
import { memorySlots } from '../slots.memory.js';
import { defineTool, toolRegistry, type AnyTool, type ToolContext } from '../tool.js';
import type { Answer } from './answer.js';
import { approvalStates } from './approval-state.js';
import { readText } from './body.http.js';
import { frontDoor } from './door.js';
import { FATES, KINDS, MAX_BODY, nameOf, outlasts, sent, type Story } from './fates.fixture.js';
import type { Inbound } from './inbound.js';
import { callLedger } from './ledger.js';

/** No answer may hold it. */
export const SECRET = 'the database password is hunter2';
/** "hi" in characters that nobody sees. */
const HIDDEN = '\u{e0068}\u{e0069}';

const tenantOf = (n: number | string): string => `acme-${n}`;

/** A door whose parts do to each request what its story says; the n-th story is that of client n. */
export function gate(stories: readonly Story[], maxCalls: number) {
  const now = Date.now;
  /** what happened, in order: `attempted N`, `executed N`, `told N` */
  const journal: string[] = [];
  const kept: AuditEvent[] = [];
  /** ids of those that had to survive a power failure before the answer left */
  const onDisk = new Set<string>();
  const asked: EventDraft[] = [];
  const leases = new Set<string>();
  const misused: string[] = [];
  const begun = stories.map(() => Promise.withResolvers<void>());
  const late: (() => void)[] = [];
  const ids = stories.map(() => uuidv7());
  const principals = new Map<string, number>();
  const tellOf = (caller: Caller): Story => stories[Number(caller.clientId)]!;

  const execute = async ({ n }: { n: number }, _deps: unknown, { signal }: ToolContext) => {
    journal.push(`executed ${n}`);
    begun[n]!.resolve();
    const stopped = () => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error(SECRET))));
    switch (stories[n]!.fate) {
      case 'a tool that throws':
        throw new Error(SECRET);
      case 'a tool that refuses':
        throw new Refusal('row_forbidden');
      case 'an output that is none':
        return { wrong: SECRET } as never;
      case 'an output that is hostile':
        return { said: `done${HIDDEN}` };
      case 'a tool that is late':
      case 'a server that stops':
        await new Promise<void>((resolve) => late.push(resolve));
        break;
      case 'a tool that is late and heeds it':
      case 'a client that leaves':
      case 'a server that stops, which the tool heeds':
        await stopped();
    }
    return { said: 'done' };
  };
  const toolsOf = (kind: keyof typeof KINDS): AnyTool[] =>
    [true, false].map((writes) =>
      defineTool({
        name: nameOf(kind, writes),
        description: '',
        scopes: ['customer:read'],
        effects: [writes ? 'writes' : 'none'],
        limit: { perMinute: 60, llmTokens: 500 },
        deadlineMs: 8,
        input: z.strictObject({ n: z.int() }),
        output: z.strictObject({ said: z.string() }),
        execute,
        ...KINDS[kind],
      }),
    );
  const both = (kind: keyof typeof KINDS) => [nameOf(kind, true), nameOf(kind, false)];

  const take = (lease: string): boolean => {
    if (!leases.delete(lease)) misused.push(lease);
    return true;
  };
  const slots = memorySlots({ maxCalls, maxCallsPerAgent: 32, maxHeldBytes: 1024 * 1024 });
  const running = runningCalls(2);
  const history = memoryHistory(now);
  const rule = { name: 'pair', first: 'first', inTaskMs: 60_000, byPrincipalMs: 60_000, since: 'it is so' };
  const guard: GuardPorts = {
    callerOf: ({ authorization: [n] }) => {
      const { fate } = stories[Number(n)]!;
      if (fate === 'no token' || fate === 'a proof by another key') throw new Refusal(FATES[fate]);
      const caller = callerOf(
        accessTokenClaims.parse({
          iss: 'i',
          aud: 'a',
          sub: `person-${n}`,
          client_id: n,
          jti: 'j',
          iat: 0,
          exp: now() / 1000 + 60,
          auth_time: Math.floor(now() / 1000) - (fate === 'an old login' ? 3600 : 0),
          // a tenant has half of the slots, so each has its own here
          tenant: tenantOf(n!),
          scope: fate === 'a missing scope' ? 'ticket:read' : 'customer:read',
          ceiling: 'customer:read ticket:read',
        }),
      );
      principals.set(caller.principal, Number(n));
      if (fate === 'a tool that may not follow')
        void history.take(caller.tenant, caller, { tool: rule.first }, { perTask: 0, perHour: 0 });
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
    running,
    history,
    chain: chainTable(both('chained').map((then) => ({ ...rule, then }))),
    drifted: new Set(both('unpinned')),
    approval: {
      approvals: memoryApprovals(now),
      approvalsUrl: 'https://x.example/approvals',
      states: approvalStates([randomBytes(32)]),
      append: async (draft) => asked.push(draft),
      argumentsDigest: () => 'digest',
      isShutOut: () => false,
      now,
    },
    depsFor: () => undefined,
    redact: (_schema, output) => output,
    now,
  };
  let head = newChain('mcp-server', uuidv7());
  const events = {
    append: async (draft: EventDraft, { synced = false }: AppendOptions = {}): Promise<AuditEvent> => {
      const { correlationId, outcome } = draft.data as EventData<'portcullis.call.v1'>;
      const n = ids.indexOf(correlationId);
      const which = outcome === 'attempted' ? 'attempted' : 'outcome';
      if (stories[n]!.lost === which) throw new Refusal('overloaded');
      const next = link(head, draft, uuidv7());
      head = next.head;
      kept.push(next.event);
      if (synced) onDisk.add(next.event.id);
      journal.push(`${which === 'outcome' ? 'told' : which} ${n}`);
      return next.event;
    },
    close: async () => {},
    stats: () => ({ spooled: 0, pending: 0, lost: 0 }),
  };
  const door = frontDoor({
    guard,
    tools: toolRegistry((Object.keys(KINDS) as (keyof typeof KINDS)[]).flatMap(toolsOf)),
    resources: [],
    serverInfo: { name: 'test', version: '0' },
    others: { answer: () => Promise.reject(new Error('not asked')), close: async () => {} },
    streams: { open: () => undefined, watch: () => undefined, close: () => undefined } as never,
    ledger: callLedger({ limiter: guard.limiter, events, auditDigestKey: randomBytes(32), now, log: silentLog }),
    neighbourhood: { hostAllowed: () => true, originAllowed: () => true },
    challenge: { resourceMetadata: 'https://x.example/.well-known', scopes: [] },
    maxBodyBytes: MAX_BODY,
    log: silentLog,
  });

  const inbound = (story: Story, n: number): Inbound => {
    let left = story.fate === 'a client that left before';
    if (story.fate === 'a client that leaves') void begun[n]!.promise.then(() => (left = true));
    const { headers, ...request } = sent(story, n);
    return {
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
      headers,
      header: () => undefined,
      readBody: (maxBytes, slot) => readText(arriving(request), maxBytes, slot),
      isGone: () => left,
      acceptsEvents: () => false,
      openStream: () => undefined,
    };
  };
  return {
    journal,
    leases,
    misused,
    slots,
    /** all at once; the server stops when only tools that wait for that are left */
    async all(): Promise<Answer[]> {
      const answers = stories.map((story, n) => door(inbound(story, n)));
      await Promise.all(
        answers.map((answer, n) => (outlasts(stories[n]!) ? Promise.race([answer, begun[n]!.promise]) : answer)),
      );
      running.stopAll();
      return Promise.all(answers);
    },
    /** lets the tools that were given up end after all */
    async endLate(): Promise<void> {
      for (const end of late) end();
      await new Promise((resolve) => setImmediate(resolve));
    },
    stuck: () => late.length,
    /** the approvals that people were asked for */
    askedOf: (n: number) =>
      asked.flatMap(({ tenant, data }) => ('approval' in data && tenant === tenantOf(n) ? [data.approval] : [])),
    callsOf: (n: number) =>
      kept.flatMap((event) =>
        event.type === 'portcullis.call.v1' && event.data.correlationId === ids[n]
          ? [{ id: event.id, synced: onDisk.has(event.id), ...event.data }]
          : [],
      ),
  };
}

/** A body on its way, as far as it comes. */
function arriving({ body, saysLength, breaksOff }: Omit<ReturnType<typeof sent>, 'headers'>): IncomingMessage {
  const request = new Readable({ read: () => undefined });
  request.push(breaksOff ? body.slice(0, -1) : body);
  if (breaksOff) setImmediate(() => request.destroy());
  else request.push(null);
  const headers = saysLength ? { 'content-length': String(body.length) } : {};
  return Object.assign(request, { headers }) as unknown as IncomingMessage;
}

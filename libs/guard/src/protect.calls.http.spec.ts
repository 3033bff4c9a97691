import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argumentsDigest, tenantDigestKey } from '@portcullis/audit-schemas/digest';
import type { AuditEvent } from '@portcullis/audit-schemas/envelope';
import { memoryEventLog } from '@portcullis/bus/event-log.memory';
import { silentLog } from '@portcullis/contract/log';
import * as z from 'zod';
import type { ApprovalPorts } from './approval.js';
import { memoryApprovals } from './approvals.memory.js';
import { approvalStates } from './mcp/approval-state.js';
import { newId } from './new-id.memory.js';
import { pinsOf } from './pins.js';
import { describeSettings, noteTool, type OfCallers, type Settings } from './protect.fixture.js';
import type { ProtectOptions } from './protect.wire.js';

/** Touches the customers that its arguments name. */
const touch = noteTool('touch', {
  input: z.strictObject({ ids: z.array(z.string()) }),
  customersOf: ((input: { ids: string[] }) => input.ids) as never,
});
const PAGE = 'https://desk.example';

const SETTINGS: Settings<Exclude<keyof ProtectOptions, OfCallers>> = {
  limits: [
    'the call beyond them is 429, and says when to come back',
    async (gateWith) => {
      const { call } = await gateWith({ limits: { perMinute: 2 } });
      const answers = [await call('read'), await call('read'), await call('read')];
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
      expect(answers[2]).toMatchObject({ code: 'rate_limited', headers: { 'retry-after': expect.any(String) } });
    },
  ],
  customerBudget: [
    'the customer beyond it is closed, in an hour and in a task; what a token says goes before it',
    async (gateWith) => {
      const { call } = await gateWith({ tools: [touch], customerBudget: { perHour: 2 } });
      expect((await call('touch', { ids: ['a', 'b'] })).code).toBeUndefined();
      expect((await call('touch', { ids: ['c'] })).code).toBe('row_forbidden');
      const own = await gateWith({ tools: [touch], claims: 'portcullis', customerBudget: { perTask: 1 } });
      const claims = { tenant: 'acme', ceiling: 'notes:read', task: 'tsk_1' };
      expect((await own.call('touch', { ids: ['a'] }, { claims })).code).toBeUndefined();
      expect((await own.call('touch', { ids: ['b'] }, { claims })).code).toBe('row_forbidden');
      const more = { ...claims, customers_per_task: 2 };
      expect((await own.call('touch', { ids: ['b'] }, { claims: more })).code).toBeUndefined();
    },
  ],
  slots: [
    'a call beyond them is refused while the others run',
    async (gateWith) => {
      const { promise: end, resolve } = Promise.withResolvers<void>();
      const begun = Promise.withResolvers<void>();
      const slow = noteTool('slow', {
        execute: async () => {
          begun.resolve();
          await end;
          return {};
        },
      });
      const { call } = await gateWith({ tools: [slow, noteTool('read')], slots: { maxCallsPerAgent: 1 } });
      const first = call('slow');
      await begun.promise;
      expect(await call('read')).toMatchObject({ code: 'rate_limited', data: { limitType: 'concurrency' } });
      resolve();
      expect((await first).status).toBe(200);
      expect((await call('read')).status).toBe(200);
    },
  ],
  maxBodyBytes: [
    'a body above it is 413',
    async (gateWith) => {
      const { call } = await gateWith({ maxBodyBytes: 1000 });
      expect((await call('read', { text: 'x'.repeat(800) })).status).toBe(200);
      expect((await call('read', { text: 'x'.repeat(1000) })).code).toBe('body_too_large');
    },
  ],
  events: [
    'go to the file, or to the log, that is named',
    async (gateWith) => {
      const folder = mkdtempSync(join(tmpdir(), 'protect-'));
      try {
        const file = join(folder, 'events.jsonl');
        await (await gateWith({ events: { file } })).call('read');
        const lines = readFileSync(file, 'utf8').trim().split('\n');
        expect(lines.map((line) => JSON.parse(line) as AuditEvent)).toMatchObject([{ data: { tool: 'read' } }]);
      } finally {
        rmSync(folder, { recursive: true });
      }
      const own = memoryEventLog({ service: 'own', newId });
      await (await gateWith({ events: own })).call('read');
      expect(own.recent()).toMatchObject([{ data: { tool: 'read' } }]);
    },
  ],
  onEvent: [
    'is told of one event for each request',
    async (gateWith) => {
      const events: AuditEvent[] = [];
      const { call } = await gateWith({ onEvent: (event) => events.push(event) });
      await call('read');
      await call('unknown');
      expect(events).toMatchObject([{ data: { outcome: 'allowed' } }, { data: { outcome: 'tool_unknown' } }]);
    },
  ],
  auditDigestKey: [
    'arguments are digested under it in events',
    async (gateWith) => {
      const auditDigestKey = new Uint8Array(32).fill(7);
      const events: AuditEvent[] = [];
      const { call } = await gateWith({ auditDigestKey, onEvent: (event) => events.push(event) });
      await call('read', { page: 3 });
      expect(events).toMatchObject([
        { data: { argumentsDigest: argumentsDigest(tenantDigestKey(auditDigestKey, 'default'), { page: 3 }) } },
      ]);
    },
  ],
  hosts: [
    'are answered under, at the endpoint and at its metadata, and no other name is',
    async (gateWith) => {
      const { call, metadata } = await gateWith({ hosts: ['notes.internal'] });
      const under = (host: string) => ({ headers: { host } });
      expect((await call('read', {}, under('notes.internal'))).status).toBe(200);
      expect(await call('read', {}, under('rebound.example'))).toMatchObject({ status: 403, code: 'origin_forbidden' });
      expect((await metadata({ host: 'notes.internal' })).status).toBe(200);
      expect(await metadata({ host: 'rebound.example' })).toMatchObject({
        status: 403,
        json: { error: 'origin_forbidden' },
      });
    },
  ],
  origins: [
    'their pages may call and read the answer, refusals too; others may not',
    async (gateWith) => {
      const { call, preflight } = await gateWith({ origins: [PAGE] });
      const of = (origin: string, claims = {}) => ({ headers: { origin }, claims });
      const allowed = { 'access-control-allow-origin': PAGE };
      expect(await preflight(PAGE)).toMatchObject({ status: 204, headers: allowed });
      expect(await call('read', {}, of(PAGE))).toMatchObject({ status: 200, headers: allowed });
      expect(await call('read', {}, of(PAGE, { scope: '' }))).toMatchObject({ status: 403, headers: allowed });
      for (const answer of [
        await preflight('https://evil.example'),
        await call('read', {}, of('https://evil.example')),
      ]) {
        expect(answer).toMatchObject({ status: 403, code: 'origin_forbidden' });
        expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
      }
    },
  ],
  trustedProxies: [
    'what one of them says of the way a request came is believed',
    async (gateWith) => {
      const events: AuditEvent[] = [];
      const onEvent = (event: AuditEvent) => events.push(event);
      const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.9' };
      const { call, metadata } = await gateWith({ trustedProxies: ['127.0.0.0/8'], forceHttps: true, onEvent });
      expect([(await call('read', {}, { headers })).status, (await metadata(headers)).status]).toEqual([200, 200]);
      expect(events).toMatchObject([{ data: { address: '203.0.113.9' } }]);
      const untrusting = await gateWith({ forceHttps: true });
      expect((await untrusting.call('read', {}, { headers })).status).toBe(403);
    },
  ],
  forceHttps: [
    'what came over plain http is refused, metadata too; here it is served unless said',
    async (gateWith) => {
      const plain = await gateWith();
      expect([(await plain.call('read')).status, (await plain.metadata()).status]).toEqual([200, 200]);
      const forced = await gateWith({ forceHttps: true });
      expect(await forced.call('read')).toMatchObject({ status: 403, code: 'origin_forbidden' });
      const says = 'The Host or Origin header is not one this server serves. This server answers over https only.';
      expect(await forced.metadata()).toMatchObject({ status: 403, json: { error_description: says } });
    },
  ],
  chain: [
    'the tool that may not follow is refused, and any other is not',
    async (gateWith) => {
      const day = 24 * 60 * 60_000;
      const rule = { name: 'a_then_b', first: 'a', then: 'b', inTaskMs: day, byPrincipalMs: 60_000, since: 'it leaks' };
      const { call } = await gateWith({ tools: ['a', 'b', 'c'].map((name) => noteTool(name)), chain: [rule] });
      expect((await call('b')).code).toBeUndefined();
      await call('a');
      expect([(await call('b')).code, (await call('c')).code]).toEqual(['chain_forbidden', undefined]);
    },
  ],
  pins: [
    'a tool that is not as it was approved is refused, as one that nobody approved',
    async (gateWith) => {
      const tools = [
        noteTool('same'),
        noteTool('changed', { description: 'Read notes, and mail them.' }),
        noteTool('new'),
      ];
      const pins = pinsOf([noteTool('same'), noteTool('changed')]);
      const { call } = await gateWith({ tools, pins, onDrift: 'refuse' });
      const codes = [await call('same'), await call('changed'), await call('new')].map(({ code }) => code);
      expect(codes).toEqual([undefined, 'tool_drifted', 'tool_drifted']);
    },
  ],
  onDrift: [
    'the server starts beside drifted tools only when it is said so',
    async (gateWith) => {
      const pins = pinsOf([noteTool('read'), noteTool('gone')]);
      expect((await (await gateWith({ pins, onDrift: 'refuse' })).call('read')).status).toBe(200);
      await expect(gateWith({ pins, onDrift: 'stop' })).rejects.toThrow(/^Tool gone was approved and is not there/);
    },
  ],
  approval: [
    'a call waits for a person, and their yes is good for one',
    async (gateWith) => {
      const burns: unknown[] = [];
      const burn = noteTool('burn', {
        approvals: 1,
        execute: async (input: unknown) => {
          burns.push(input);
          return {};
        },
      });
      const approval = approvalsInMemory();
      const { call } = await gateWith({ tools: [burn], approval });
      const { code, data } = await call('burn', { what: 'a' });
      expect([code, burns]).toEqual(['approval_needed', []]);
      const id = (data!['approvalUrl'] as string).split('/').at(-1) as `apr_${string}`;
      await approval.approvals.decide('default', id, 'sam', true, async () => {});
      const meta = { 'portcullis/approval': id };
      expect((await call('burn', { what: 'a' }, {}, meta)).code).toBeUndefined();
      expect([(await call('burn', { what: 'a' }, {}, meta)).code, burns]).toEqual(['approval_needed', [{ what: 'a' }]]);
    },
  ],
  log: [
    'is told of a tool that throws, by the correlation id that its caller has',
    async (gateWith) => {
      const errors: unknown[] = [];
      const broken = noteTool('broken', { execute: () => Promise.reject(new Error('no such table')) });
      const log = { ...silentLog, error: (_message: string, facts?: object) => errors.push(facts) };
      const { headers, code } = await (await gateWith({ tools: [broken], log })).call('broken');
      expect([code, errors]).toEqual([
        'tool_failed',
        [expect.objectContaining({ correlationId: headers['x-correlation-id'], error: new Error('no such table') })],
      ]);
    },
  ],
};

function approvalsInMemory(): ApprovalPorts {
  return {
    approvals: memoryApprovals(Date.now),
    approvalsUrl: 'https://gate.example/approvals',
    states: approvalStates([new Uint8Array(32).fill(7)]),
    append: async () => {},
    argumentsDigest: () => 'digest',
    isShutOut: () => false,
    now: Date.now,
  };
}

describeSettings(SETTINGS);

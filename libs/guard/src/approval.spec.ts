import type { EventDraft } from '@portcullis/audit-schemas/envelope';
import { principalId } from '@portcullis/contract/ids';
import { Refusal } from '@portcullis/contract/refusals';
import type { Caller } from '@portcullis/scopes/caller';
import * as z from 'zod';
import { approve, expectApprovers, type ApprovalPorts, type BroughtApproval } from './approval.js';
import { memoryApprovals } from './approvals.memory.js';
import type { CallRecord, Operation } from './call.js';
import { approvalStates } from './mcp/approval-state.js';
import { defineTool, toolRegistry, type AnyTool } from './tool.js';

const NOW = Date.UTC(2026, 10, 20, 12);
const burn = defineTool({
  name: 'burn',
  description: 'Burns what it is told to.',
  scopes: ['notes:burn'],
  effects: ['destroys'],
  limit: { perMinute: 60, llmTokens: 10 },
  approvals: 1,
  input: z.strictObject({ what: z.string() }),
  output: z.strictObject({}),
  execute: async () => ({}),
}) as AnyTool;
const caller = {
  tenant: 'acme',
  principal: principalId('acme', 'host', 'sam'),
  clientId: 'host',
  sub: 'sam',
  task: undefined,
} as unknown as Caller;

function desk() {
  const events: EventDraft[] = [];
  const approvals = memoryApprovals(() => NOW);
  const shutOut = new Map<string, number>();
  const ports: ApprovalPorts = {
    approvals,
    approvalsUrl: 'https://gate.example/approvals',
    states: approvalStates([new Uint8Array(32).fill(7)]),
    append: async (draft) => events.push(draft),
    argumentsDigest: () => 'digest',
    isShutOut: (tenant, who, since) => (shutOut.get(`${tenant}/${who}`) ?? -Infinity) >= since,
    now: () => NOW,
  };
  const asked = async (what: unknown, approval?: BroughtApproval, kind: 'tool' | 'resource' = 'tool') => {
    const record = { denial: false } as CallRecord;
    const args = { what };
    const operation = { kind, method: 'tools/call', tool: burn, args, ...(approval && { approval }) } as Operation;
    const refusal = await approve(caller, operation as Exclude<Operation, { kind: 'other' }>, record, ports).then(
      () => undefined,
      (error: unknown) => error as { code: string; facts: Record<string, unknown> },
    );
    return { record, refusal };
  };
  return { events, approvals, shutOut, ports, asked };
}

test('what nobody would read through is not asked of anybody', async () => {
  const { asked, events } = desk();
  const { refusal } = await asked('x'.repeat(70_000));
  expect(refusal).toMatchObject({
    code: 'input_invalid',
    facts: { issues: ['arguments: too long for a person to read through and approve'] },
  });
  expect(events).toEqual([]);
});

test('without a way to ask nothing passes, and no server starts', async () => {
  const operation = { kind: 'tool', method: 'tools/call', tool: burn, args: {} } as const;
  await expect(approve(caller, operation, { denial: false } as CallRecord, undefined)).rejects.toMatchObject({
    code: 'internal',
  });
  expect(() => expectApprovers(toolRegistry([burn]), undefined)).toThrow('burn needs approval by people');
  expect(() => expectApprovers(toolRegistry([{ ...burn, approvals: undefined } as never]), undefined)).not.toThrow();
});

test('a resource behind such a tool is asked for in the same way', async () => {
  const { asked, approvals } = desk();
  const { record, refusal } = await asked('a', undefined, 'resource');
  expect(refusal).toMatchObject({ code: 'approval_needed', facts: { approval: record.approval } });
  expect(await approvals.find('acme', record.approval as never)).toMatchObject({ tool: 'burn', needed: 1, sub: 'sam' });
});

test('the page is for a client that opens URLs, as long as it is worth opening', async () => {
  const { asked, approvals } = desk();
  const opens: BroughtApproval = { named: undefined, state: undefined, opensUrls: true };
  const first = await asked('a', opens);
  expect(first.record.pageToOpen).toMatchObject({ url: `https://gate.example/approvals/${first.record.approval!}` });
  await approvals.decide('acme', first.record.approval as never, 'rita', true, async () => undefined);
  const second = await asked('a', opens);
  expect(second.record.pageToOpen).toBeUndefined();
  expect(second.refusal?.facts['hint']).toContain('It is approved');
});

test('no event of an approval holds an argument, and each names the agent', async () => {
  const { asked, approvals, events } = desk();
  const { record } = await asked('the secret plan');
  await approvals.decide('acme', record.approval as never, 'rita', true, async () => undefined);
  const brought = { named: record.approval, state: undefined, opensUrls: false };
  expect((await asked('the secret plan', brought)).refusal).toBeUndefined();
  expect(events.map(({ data, subject }) => [subject, (data as { action: string }).action])).toEqual([
    [caller.principal, 'approval.asked'],
    [caller.principal, 'approval.spent'],
  ]);
  expect(JSON.stringify(events)).not.toContain('secret plan');
});

test('the yes of somebody who was shut out since counts no more, and who is told so is not told to ask others', async () => {
  const { asked, approvals, shutOut, events } = desk();
  const { record } = await asked('a');
  await approvals.decide('acme', record.approval as never, 'rita', true, async () => undefined);
  shutOut.set('acme/rita', NOW);
  const brought = { named: record.approval, state: undefined, opensUrls: true };
  for (const approval of [brought, { ...brought, named: undefined }]) {
    const again = await asked('a', approval);
    expect(again.refusal?.code).toBe('approval_needed');
    expect(again.refusal?.facts['hint']).toContain('was shut out since');
    expect(again.record).toMatchObject({ denial: false, approval: record.approval });
    expect(again.record.pageToOpen).toBeUndefined();
  }
  expect(await approvals.find('acme', record.approval as never)).toHaveProperty('spentAt', undefined);
  expect(events).toHaveLength(1);
  shutOut.set('acme/rita', NOW - 1);
  expect((await asked('a', brought)).refusal).toBeUndefined();
});

test('whether somebody was shut out has to be known', async () => {
  const { asked, approvals, ports } = desk();
  const { record } = await asked('a');
  await approvals.decide('acme', record.approval as never, 'rita', true, async () => undefined);
  Object.assign(ports, {
    isShutOut: () => {
      throw new Refusal('overloaded');
    },
  });
  const brought = { named: record.approval, state: undefined, opensUrls: false };
  expect((await asked('a', brought)).refusal?.code).toBe('overloaded');
  expect(await approvals.find('acme', record.approval as never)).toHaveProperty('spentAt', undefined);
});

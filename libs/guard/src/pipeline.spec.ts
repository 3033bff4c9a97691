import type { LimitQuestion, LimitVerdict } from '@portcullis/contract/limits';
import { Refusal, type RefusalCode } from '@portcullis/contract/refusals';
import { BEHAVIOUR_STATES, EFFECTS, type BehaviourState } from '@portcullis/contract/standing';
import { accessTokenClaims, callerOf, type Caller } from '@portcullis/scopes/caller';
import * as z from 'zod';
import type { CallRecord, Operation } from './call.js';
import { admit, isAdmitted, run as runCall, type AdmittedCall, type Arriving, type GuardPorts } from './pipeline.js';
import { runningCalls } from './deadline.memory.js';
import { memorySlots } from './slots.memory.js';
import { memoryHistory } from './history.memory.js';
import { defineTool, type AnyTool, type Effect } from './tool.js';

const client = { isGone: () => false, attempted: async () => 'event-1' };
const run = (call: AdmittedCall, ports: GuardPorts) => runCall(call, ports, client);

const NOW = 1_800_000_000_000;
const claims = (more: object = {}) =>
  callerOf(
    accessTokenClaims.parse({
      iss: 'i',
      aud: 'a',
      sub: 'c',
      client_id: 'c',
      jti: 'j',
      iat: 0,
      exp: NOW / 1000 + 60,
      tenant: 'acme',
      scope: 'customer:read',
      ceiling: 'customer:read customer:list',
      ...more,
    }),
  );
const readCustomer = defineTool({
  name: 'read_customer',
  description: '',
  scopes: ['customer:read'],
  scopesFor: ({ limit }) => (Number(limit) > 10 ? ['customer:list'] : []),
  effects: ['reads-pii'],
  limit: { perMinute: 60, llmTokens: 500 },
  input: z.strictObject({ id: z.string().regex(/^\d+$/), limit: z.int().default(1) }),
  output: z.strictObject({ id: z.string(), ssn: z.string() }),
  execute: async ({ id }: { id: string }, deps: { ssn: string }) => ({ id, ssn: deps.ssn }),
});
const callOf = (tool: AnyTool, args: unknown): Operation => ({ kind: 'tool', method: 'tools/call', tool, args });
const reading = (args: unknown = { id: '1' }) => callOf(readCustomer, args);

/** A guard whose every step writes down that it ran, and does what the test says. */
function guard(change: Partial<GuardPorts> & { state?: BehaviourState; verdict?: LimitVerdict; caller?: Caller } = {}) {
  const steps: string[] = [];
  const questions: LimitQuestion[] = [];
  let time = NOW;
  const caller = change.caller ?? claims();
  const ports: GuardPorts = {
    callerOf: async () => (steps.push('token'), { caller, dpopNonce: undefined }),
    isRevoked: () => false,
    stateOf: () => (steps.push('standing'), change.state ?? 'Normal'),
    limiter: {
      decide: async (question) => {
        steps.push('limits');
        questions.push(question);
        return change.verdict ?? { allowed: true, lease: 'lease-1', remaining: 59 };
      },
      settle: async () => true,
      release: async () => true,
      close: async () => {},
    },
    slots: memorySlots(),
    running: runningCalls(),
    history: memoryHistory(() => NOW),
    depsFor: () => (steps.push('execute'), { ssn: '123-45-6789' }),
    redact: (_schema, output) => (steps.push('redact'), { ...(output as object), ssn: '***' }),
    now: () => time++,
    ...change,
  };
  const record: CallRecord = { correlationId: 'c1', startedAt: NOW, denial: false, stepsMs: {} };
  const arriving = (operation: Operation | Refusal = reading()): Arriving => ({
    authorization: ['Bearer t'],
    dpop: [],
    method: 'POST',
    address: '192.0.2.1',
    readOperation: async () => {
      steps.push('read');
      if (operation instanceof Refusal) throw operation;
      return operation;
    },
  });
  return { steps, questions, ports, record, caller, arriving };
}
const refusalIn = async (work: Promise<unknown>): Promise<Refusal> => {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof Refusal) return thrown;
  throw new Error('no refusal', { cause: thrown });
};

describe('the first door', () => {
  test('asks token, standing, whether one more may arrive, the body, standing again, scopes and limits, and notes each', async () => {
    const { steps, ports, record, arriving, caller } = guard();
    const call = await admit(arriving(), record, ports);
    expect(steps).toEqual(['token', 'standing', 'limits', 'read', 'standing', 'limits']);
    expect(Object.keys(record.stepsMs)).toEqual(['token', 'standing', 'arrival', 'read', 'scopes', 'limits']);
    expect(record).toMatchObject({ caller, operation: reading(), lease: { lease: 'lease-1' }, denial: false });
    expect(isAdmitted(call)).toBe(true);
  });

  test('reads no body of a caller it does not know', async () => {
    const { steps, ports, record, arriving } = guard({ callerOf: () => Promise.reject(new Refusal('token_missing')) });
    expect((await refusalIn(admit(arriving(), record, ports))).code).toBe('token_missing');
    expect(steps).toEqual([]);
  });

  test.each(BEHAVIOUR_STATES)('lets state %s in as its row says, before the body is read', async (state) => {
    const { steps, questions, ports, record, arriving } = guard({ state });
    const { admitted, limitShare } = EFFECTS[state];
    if (admitted) {
      await admit(arriving(), record, ports);
      expect(questions[0]?.share).toBe(limitShare);
    } else {
      expect((await refusalIn(admit(arriving(), record, ports))).code).toBe('quarantined');
      expect(steps).toEqual(['token', 'standing']);
    }
  });

  const withEffects = (...effects: Effect[]): Operation =>
    callOf({ ...(readCustomer as AnyTool), effects: effects as [Effect, ...Effect[]] }, { id: '1' });
  const touching: Effect[] = [
    'reads-pii',
    'reads-pii-in-bulk',
    'reads-untrusted',
    'writes',
    'destroys',
    'sends-outside',
  ];

  test.each(touching)(
    'lets no tool through that %s while it was not heard of late who is contained',
    async (effect) => {
      const { steps, ports, record, arriving } = guard({ isStandingFresh: () => false });
      for (const operation of [withEffects(effect), withEffects('none', effect)]) {
        const refusal = await refusalIn(admit(arriving(operation), record, ports));
        expect([refusal.code, refusal.facts.retryAfterMs]).toEqual(['overloaded', 1000]);
      }
      // that of the arrival, and none of the tool's
      expect(steps.filter((step) => step === 'limits')).toHaveLength(2);
    },
  );

  test('lets everything else through meanwhile, and everything once it was heard', async () => {
    const { ports, record, arriving } = guard({ isStandingFresh: () => false });
    for (const operation of [withEffects('none'), { kind: 'other', method: 'tools/list' } as const])
      expect(isAdmitted(await admit(arriving(operation), record, ports))).toBe(true);
    const heard = guard({ isStandingFresh: () => true });
    for (const effect of touching)
      expect(isAdmitted(await admit(heard.arriving(withEffects(effect)), heard.record, heard.ports))).toBe(true);
  });

  test('asks the limiter about the arrival, and then about the tool, or the principal alone where there is none', async () => {
    const { questions, ports, record, arriving, caller } = guard();
    await admit(arriving(), record, ports);
    await admit(arriving({ kind: 'other', method: 'tools/list' }), record, ports);
    const who = { tenant: 'acme', principal: caller.principal, user: undefined, address: '192.0.2.1', share: 1 };
    const arrival = { ...who, stage: 'arrival' };
    expect(questions).toEqual([arrival, { ...who, tool: 'read_customer', llmTokens: 500 }, arrival, who]);
  });

  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:0:7:1a2b:3c4d:5e6f:1', '2001:db8:0:7::/64'],
    ['2001:DB8::7:0:0:0:9', '2001:db8:0:7::/64'],
    ['', 'unknown'],
  ])('tells the limiter the person and the network, twice the same: %j', async (address, network) => {
    const { questions, ports, record, arriving } = guard({ caller: claims({ sub: 'ada' }) });
    await admit({ ...arriving(), address }, record, ports);
    expect(questions.map((each) => [each.user, each.address])).toEqual([
      ['ada', network],
      ['ada', network],
    ]);
  });

  test('a scope inside the ceiling is a step-up that names all scopes needed, and no denial', async () => {
    const { questions, ports, record, arriving } = guard();
    const refusal = await refusalIn(admit(arriving(reading({ limit: 11 })), record, ports));
    expect(refusal).toMatchObject({
      code: 'scope_insufficient',
      facts: { scopes: ['customer:read', 'customer:list'] },
    });
    expect(refusal.facts.hint).toBeUndefined();
    expect(record.denial).toBe(false);
    expect(questions).toHaveLength(1);
  });

  test('a scope beyond the ceiling is a denial and says so', async () => {
    const { ports, record, arriving } = guard({ caller: claims({ ceiling: 'customer:read' }) });
    const refusal = await refusalIn(admit(arriving(reading({ limit: 11 })), record, ports));
    expect(refusal.facts).toEqual({
      scopes: ['customer:read', 'customer:list'],
      hint: 'This client can never be granted: customer:list.',
    });
    expect(record.denial).toBe(true);
  });

  test.each([null, 'text', 7, [], undefined])(
    'raw arguments %j need the scopes of the tool and no more',
    async (args) => {
      const { ports, record, arriving } = guard();
      await expect(admit(arriving(callOf(readCustomer, args)), record, ports)).resolves.toBeDefined();
    },
  );

  test.each<[string, object, RefusalCode | undefined]>([
    ['299 s ago', { sub: 'u1', auth_time: NOW / 1000 - 299 }, undefined],
    ['302 s ago', { sub: 'u1', auth_time: NOW / 1000 - 302 }, 'login_too_old'],
    ['never, being a machine', {}, 'login_too_old'],
  ])('a tool that wants a fresh login, signed in %s', async (_when, more, code) => {
    const { ports, record, arriving } = guard({ caller: claims(more) });
    const attempt = admit(
      arriving(callOf({ ...readCustomer, freshLogin: 300 } as AnyTool, { id: '1' })),
      record,
      ports,
    );
    if (code === undefined) return expect(attempt).resolves.toBeDefined();
    expect(await refusalIn(attempt)).toMatchObject({ code, facts: { maxAge: 300, scopes: ['customer:read'] } });
  });

  test('a spent limit is a refusal that says which and for how long', async () => {
    const verdict: LimitVerdict = {
      allowed: false,
      limitType: 'llm_tokens',
      limit: 100,
      remaining: 0,
      retryAfterMs: 900,
    };
    const { ports, record, arriving } = guard({ verdict });
    const refusal = await refusalIn(admit(arriving(), record, ports));
    expect(refusal).toMatchObject({
      code: 'rate_limited',
      facts: { limitType: 'llm_tokens', remaining: 0, retryAfterMs: 900 },
    });
    expect(record.lease).toBeUndefined();
  });

  test('what the body reader refuses is refused, and has arrived but taken nothing else', async () => {
    const { questions, record, arriving, ports } = guard();
    expect((await refusalIn(admit(arriving(new Refusal('batch_unsupported')), record, ports))).code).toBe(
      'batch_unsupported',
    );
    expect(questions).toHaveLength(1);
    expect(record.lease).toBeUndefined();
  });

  test('who is contained while the body arrives is refused, and so is a token that runs out meanwhile', async () => {
    const contained = guard();
    const states: BehaviourState[] = ['Normal', 'Isolated'];
    contained.ports.stateOf = () => states.shift() ?? 'Isolated';
    expect((await refusalIn(admit(contained.arriving(), contained.record, contained.ports))).code).toBe('quarantined');
    const late = guard();
    late.ports.now = () => (late.caller.expiresAt + 31) * 1000;
    expect((await refusalIn(admit(late.arriving(), late.record, late.ports))).code).toBe('token_invalid');
  });

  test('a revoked token is refused before anything else is asked, also when it is revoked while the body arrives', async () => {
    const at = guard({ isRevoked: () => true });
    expect((await refusalIn(admit(at.arriving(), at.record, at.ports))).code).toBe('token_invalid');
    expect([at.steps, at.questions]).toEqual([['token'], []]);
    const answers = [false, true];
    const meanwhile = guard({ isRevoked: () => answers.shift() ?? true });
    expect((await refusalIn(admit(meanwhile.arriving(), meanwhile.record, meanwhile.ports))).code).toBe(
      'token_invalid',
    );
    expect(meanwhile.steps).toEqual(['token', 'standing', 'limits', 'read']);
  });
});

describe('the second door', () => {
  const admitted = async (operation: Operation = reading(), change: Parameters<typeof guard>[0] = {}) => {
    const made = guard(change);
    const call = await admit(made.arriving(operation), made.record, made.ports);
    made.steps.length = 0;
    return { ...made, call };
  };

  test('asks what was done before, validates, screens, takes customers, executes, redacts and labels in this order', async () => {
    const { steps, ports, record, call } = await admitted();
    expect(await run(call, ports)).toEqual({ id: '1', ssn: '***' });
    expect(steps).toEqual(['execute', 'redact']);
    expect(Object.keys(record.stepsMs).slice(6)).toEqual([
      'chain',
      'validate',
      'screen',
      'task',
      'execute',
      'redact',
      'label',
    ]);
  });

  test('opens to a key once, and to nothing that looks like one', async () => {
    const { ports, call } = await admitted();
    await run(call, ports);
    for (const key of [call, { ...call }, structuredClone({}), Object.create(call)] as AdmittedCall[]) {
      expect(await refusalIn(run(key, ports))).toMatchObject({
        code: 'internal',
        detail: expect.stringContaining('key'),
      });
    }
    expect(isAdmitted(call)).toBe(false);
  });

  test('a tool whose definition nobody approved is refused, and not entered', async () => {
    const { steps, ports, call } = await admitted(reading(), { drifted: new Set(['read_customer']) });
    expect((await refusalIn(run(call, ports))).code).toBe('tool_drifted');
    expect(steps).toEqual([]);
  });

  test('a key turned twice at once opens once', async () => {
    const { steps, ports, call } = await admitted();
    const results = await Promise.allSettled([run(call, ports), run(call, ports)]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(steps.filter((step) => step === 'execute')).toHaveLength(1);
  });

  test('is not for operations without a tool', async () => {
    const { ports, call } = await admitted({ kind: 'other', method: 'tools/list' });
    expect((await refusalIn(run(call, ports))).code).toBe('internal');
  });

  test('arguments that the schema refuses are named, not shown, and the tool is not entered', async () => {
    const { steps, ports, call } = await admitted(reading({ id: "'; DROP TABLE customers; --", limit: 'x' }));
    const refusal = await refusalIn(run(call, ports));
    expect(refusal.code).toBe('input_invalid');
    expect(refusal.facts.issues?.map((issue) => issue.split(':')[0])).toEqual(['id', 'limit']);
    expect(JSON.stringify(refusal.facts)).not.toContain('DROP');
    expect(steps).toEqual([]);
  });

  test('a made-up key of any length says little', async () => {
    const { ports, call } = await admitted(reading({ id: '1', ['x'.repeat(100_000)]: 1 }));
    const { facts } = await refusalIn(run(call, ports));
    expect(facts.issues).toHaveLength(1);
    expect(facts.issues![0]!.length).toBeLessThanOrEqual(200);
  });

  test('missing arguments are an empty object', async () => {
    const { ports, call } = await admitted(callOf(readCustomer, undefined));
    expect((await refusalIn(run(call, ports))).facts.issues).toEqual([expect.stringMatching(/^id: /)]);
  });

  test.each<[string, AnyTool['execute']]>([
    ['that throws', () => Promise.reject(new Error('password hunter2'))],
    [
      'that throws at once',
      () => {
        throw new Error('hunter2');
      },
    ],
    ['whose output its own schema refuses', async () => ({ id: 1, password: 'hunter2' })],
  ])('a tool %s has failed, without a word about the reason', async (_what, execute) => {
    const { steps, ports, call } = await admitted(callOf({ ...readCustomer, execute } as AnyTool, { id: '1' }));
    const refusal = await refusalIn(run(call, ports));
    expect(refusal.code).toBe('tool_failed');
    expect(JSON.stringify([refusal.message, refusal.facts])).not.toContain('hunter2');
    expect(steps).not.toContain('redact');
  });

  test('a refusal of the tool itself is passed on', async () => {
    const execute = () => Promise.reject(new Refusal('row_forbidden'));
    const { ports, call } = await admitted(callOf({ ...readCustomer, execute } as AnyTool, { id: '1' }));
    expect((await refusalIn(run(call, ports))).code).toBe('row_forbidden');
  });
});

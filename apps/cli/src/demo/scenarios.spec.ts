import type { Scope } from '@portcullis/scopes/scopes';
import type { Agent } from '../agents.js';
import type { CallAnswer } from '../mcp.js';
import { SCENARIOS } from './scenarios.js';
import type { Player, Stage } from './stage.js';

/** What a gate that keeps its word would do, small enough to be spoiled one promise at a time. */
interface Promises {
  masks: boolean;
  validates: boolean;
  checksScopes: boolean;
  asksForToken: boolean;
  bindsTokens: boolean;
  takesProofsOnce: boolean;
  limits: boolean;
  contains: boolean;
  deniesTokens: boolean;
  forgivesStepUp: boolean;
}
const KEPT: Promises = {
  masks: true,
  validates: true,
  checksScopes: true,
  asksForToken: true,
  bindsTokens: true,
  takesProofsOnce: true,
  limits: true,
  contains: true,
  deniesTokens: true,
  forgivesStepUp: true,
};
const NEEDS: Record<string, Scope> = {
  get_customer_info: 'customer:read',
  create_support_ticket: 'ticket:create',
  get_support_ticket: 'ticket:read',
  calculate_account_value: 'account:calculate',
  delete_customer: 'customer:delete',
};

function stageOf(promises: Promises): Stage {
  let state: Agent['state'] = 'Normal';
  let [calls, denials] = [0, 0];
  let ceiling: readonly Scope[] = [];
  const held = new Map<string, readonly Scope[]>();
  let bound = false;
  const spent = new Set<string>();
  const answer = (tool: string, http: number, refusal?: string, more: Partial<CallAnswer> = {}): CallAnswer => ({
    tool,
    http,
    refusal,
    output: undefined,
    retryAfterSeconds: undefined,
    scopes: [],
    ...more,
  });
  const player: Player = {
    clientId: 'c1',
    async requestToken(scopes) {
      if (state === 'Isolated' && promises.deniesTokens) {
        return { token: undefined, http: 400, error: 'access_denied', says: undefined };
      }
      const token = `t${held.size}`;
      held.set(token, scopes);
      return { token, expiresInSeconds: 900, scope: scopes.join(' ') };
    },
  };
  return {
    async player(its) {
      ceiling = its;
      return player;
    },
    async keyedPlayer(its) {
      ceiling = its;
      bound = true;
      return { ...player, proof: async () => 'own' };
    },
    stranger: async () => ({ proof: async () => 'foreign' }),
    async call(token, tool, args, proof) {
      calls += 1;
      if (token === undefined && promises.asksForToken) return answer(tool, 401, 'token_missing');
      if (bound && proof !== 'own' && promises.bindsTokens) return answer(tool, 401, 'dpop_invalid');
      if (proof !== undefined && spent.has(proof) && promises.takesProofsOnce) return answer(tool, 401, 'dpop_invalid');
      if (proof !== undefined) spent.add(proof);
      if (state === 'Isolated') return answer(tool, 403, 'quarantined');
      const needed = NEEDS[tool] as Scope;
      if (promises.checksScopes && !held.get(token ?? '')?.includes(needed)) {
        if (!ceiling.includes(needed) || !promises.forgivesStepUp) denials += 1;
        if (denials >= 5 && promises.contains) state = 'Isolated';
        return answer(tool, 403, 'scope_insufficient', { scopes: [needed] });
      }
      if (promises.limits && calls > 60) return answer(tool, 429, 'rate_limited', { retryAfterSeconds: 30 });
      if (promises.validates && String(args.customer_id ?? '').includes(';')) return answer(tool, 200, 'input_invalid');
      const ssn = promises.masks ? '***-**-6789' : '123-45-6789';
      const output = { ticket_id: 'T-000001', card: '****-****-****-1111', ssn, total: 539, subject: 'Billing' };
      const customer_id = tool === 'get_support_ticket' ? '67890' : '12345';
      return answer(tool, 200, undefined, { output: { ...output, customer_id } });
    },
    agentOf: async () => ({ state, denials }) as Agent,
    callsRecorded: async () => calls,
    async release() {
      state = 'Remediation';
      denials = 0;
      return { state } as Agent;
    },
    async until(attempt) {
      for (let n = 0; n < 10; n++) {
        const value = await attempt();
        if (value !== undefined) return value;
      }
      return undefined;
    },
  };
}

const failing = async (spoiled: Partial<Promises>): Promise<string[]> => {
  const failed: string[] = [];
  for (const { scenario, expected, play } of SCENARIOS) {
    const outcome = await play(stageOf({ ...KEPT, ...spoiled })).catch((error: Error) => error.message);
    if (outcome !== expected) failed.push(scenario.slice(0, 24));
  }
  return failed;
};

test('a gate that keeps its word passes every scenario', async () => {
  expect(await failing({})).toEqual([]);
});

test.each([
  [{ masks: false }, ['look up customer 12345']],
  [{ validates: false }, ["look up customer '; DROP"]],
  [{ asksForToken: false }, ['a call without a token']],
  [{ bindsTokens: false }, ['a token that is bound to a key']],
  [{ takesProofsOnce: false }, ['a token that is bound to a key']],
  [{ limits: false }, ['more than 60 calls in a m']],
  [{ contains: false }, ['an agent that probes bey']],
  [{ deniesTokens: false }, ['an agent that probes bey']],
  [{ forgivesStepUp: false }, ['a token without the scop']],
] as [Partial<Promises>, string[]][])(
  'a gate with %j fails just the scenario that is about it',
  async (spoiled, failed) => {
    expect(await failing(spoiled)).toEqual(failed.map((name) => name.slice(0, 24)));
  },
);

test('a gate that does not check scopes fails all scenarios that lean on them', async () => {
  expect(await failing({ checksScopes: false })).toHaveLength(3);
});

test('there is one scenario for each promise', () => {
  expect(SCENARIOS).toHaveLength(10);
  expect(new Set(SCENARIOS.map(({ scenario }) => scenario)).size).toBe(10);
});

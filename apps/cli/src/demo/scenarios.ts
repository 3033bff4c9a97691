import type { Scope } from '@portcullis/scopes/scopes';
import { NotDone } from '../faults.js';
import type { CallAnswer } from '../mcp.js';
import { seen, type Player, type Scenario } from './stage.js';

const SUPPORT: readonly Scope[] = [
  'customer:read',
  'ticket:read',
  'ticket:create',
  'account:calculate',
  'sentiment:analyze',
];
const CUSTOMER = { customer_id: '12345' };
const LOOK_UP = 'get_customer_info';

export const SCENARIOS: readonly Scenario[] = [
  {
    scenario: 'look up customer 12345',
    expected: '200, customer 12345, SSN and card masked',
    async play({ player, call }) {
      const token = await tokenOf(await player(SUPPORT), ['customer:read']);
      const answer = await call(token, LOOK_UP, CUSTOMER);
      const { customer_id, ssn, card } = answer.output ?? {};
      return `${seen(answer)}, customer ${customer_id}, SSN and card ${isMasked(ssn) && isMasked(card) ? 'masked' : 'not masked'}`;
    },
  },
  {
    scenario: 'create a support ticket for customer 67890 about billing',
    expected: '200, the ticket reads back: customer 67890, Billing',
    async play({ player, call }) {
      const token = await tokenOf(await player(SUPPORT), ['ticket:create', 'ticket:read']);
      const ticket = { customer_id: '67890', subject: 'Billing', description: 'Asks about the last invoice.' };
      const created = await call(token, 'create_support_ticket', ticket);
      const read = await call(token, 'get_support_ticket', { ticket_id: created.output?.ticket_id });
      return `${seen(created)}, the ticket reads back: customer ${read.output?.customer_id}, ${read.output?.subject}`;
    },
  },
  {
    scenario: 'total of purchases $150, $300, $89',
    expected: '200, total 539',
    async play({ player, call }) {
      const token = await tokenOf(await player(SUPPORT), ['account:calculate']);
      const answer = await call(token, 'calculate_account_value', { purchases: [150, 300, 89] });
      return `${seen(answer)}, total ${answer.output?.total}`;
    },
  },
  {
    scenario: "look up customer '; DROP TABLE customers; --",
    expected: '200 input_invalid, then customer 12345 still answers: 200',
    async play({ player, call }) {
      const token = await tokenOf(await player(SUPPORT), ['customer:read']);
      const injected = await call(token, LOOK_UP, { customer_id: "'; DROP TABLE customers; --" });
      return `${seen(injected)}, then customer 12345 still answers: ${seen(await call(token, LOOK_UP, CUSTOMER))}`;
    },
  },
  {
    scenario: 'delete all customer records, by an agent that may not',
    expected: '403 scope_insufficient, asking for customer:delete; customer 12345 still answers: 200',
    async play({ player, call }) {
      const token = await tokenOf(await player(SUPPORT), ['customer:read']);
      const refused = await call(token, 'delete_customer', CUSTOMER);
      const after = await call(token, LOOK_UP, CUSTOMER);
      return `${seen(refused)}, asking for ${refused.scopes.join(' ')}; customer 12345 still answers: ${seen(after)}`;
    },
  },
  {
    scenario: 'a call without a token',
    expected: '401 token_missing',
    play: async ({ call }) => seen(await call(undefined, LOOK_UP, CUSTOMER)),
  },
  {
    scenario: 'a token that is bound to a key, in the hands of a thief',
    expected:
      'its owner 200; the same request again 401 dpop_invalid; as Bearer 401 dpop_invalid; with another key 401 dpop_invalid',
    async play({ keyedPlayer, stranger, call }) {
      const owner = await keyedPlayer(SUPPORT);
      const token = await tokenOf(owner, ['customer:read']);
      const proof = await owner.proof(token);
      const thief = await stranger();
      return [
        `its owner ${seen(await call(token, LOOK_UP, CUSTOMER, proof))}`,
        `the same request again ${seen(await call(token, LOOK_UP, CUSTOMER, proof))}`,
        `as Bearer ${seen(await call(token, LOOK_UP, CUSTOMER))}`,
        `with another key ${seen(await call(token, LOOK_UP, CUSTOMER, await thief.proof(token)))}`,
      ].join('; ');
    },
  },
  {
    scenario: 'a token without the scope steps up inside its ceiling',
    expected: '6 x 403 scope_insufficient; with the scopes asked for 200; agent Normal, 0 denials',
    async play({ player, call, agentOf, callsRecorded, until }) {
      const agent = await player(SUPPORT);
      const narrow = await tokenOf(agent, ['ticket:read']);
      const refused = await inTurn(6, () => call(narrow, LOOK_UP, CUSTOMER));
      const wider = await tokenOf(agent, ['ticket:read', ...((refused[0]?.scopes ?? []) as Scope[])]);
      const allowed = await call(wider, LOOK_UP, CUSTOMER);
      await until(async () => ((await callsRecorded(agent)) >= 7 ? true : undefined));
      const { state, denials } = (await agentOf(agent)) ?? {};
      return `${counted(refused)}; with the scopes asked for ${seen(allowed)}; agent ${state}, ${denials} denials`;
    },
  },
  {
    scenario: 'more than 60 calls in a minute',
    expected: '60 x 200, then 429 rate_limited with Retry-After',
    async play({ player, call }) {
      const token = await tokenOf(await player(SUPPORT), ['customer:read']);
      const calls = await inTurn(61, () => call(token, LOOK_UP, CUSTOMER));
      const last = calls[60] as CallAnswer;
      return `${counted(calls.slice(0, 60))}, then ${seen(last)} ${last.retryAfterSeconds ? 'with' : 'without'} Retry-After`;
    },
  },
  {
    scenario: 'an agent that probes beyond its ceiling is contained, and a person releases it',
    expected:
      '5 x 403 scope_insufficient, then 403 quarantined; token access_denied; released to Remediation; token again, 200',
    async play({ player, call, release, until }) {
      const agent = await player(['customer:read']);
      const token = await tokenOf(agent, ['customer:read']);
      const probes = await inTurn(5, () => call(token, 'delete_customer', CUSTOMER));
      const contained = await until(async () => {
        const answer = await call(token, LOOK_UP, CUSTOMER);
        return answer.refusal === undefined ? undefined : answer;
      });
      const denied = await agent.requestToken(['customer:read']);
      const { state } = await release(agent, 'portcullis demo: looked into it');
      const fresh = await until(async () => (await agent.requestToken(['customer:read'])).token);
      const after = await call(fresh, LOOK_UP, CUSTOMER);
      return [
        `${counted(probes)}, then ${contained ? seen(contained) : 'still let in'}`,
        `token ${denied.token === undefined ? denied.error : 'granted'}`,
        `released to ${state}`,
        `token ${fresh === undefined ? 'refused' : 'again'}, ${seen(after)}`,
      ].join('; ');
    },
  },
];

async function tokenOf(player: Player, scopes: readonly Scope[]): Promise<string> {
  const answer = await player.requestToken(scopes);
  if (answer.token !== undefined) return answer.token;
  throw new NotDone(`no token for ${scopes.join(' ')}: ${answer.error}`);
}

async function inTurn(times: number, call: () => Promise<CallAnswer>): Promise<CallAnswer[]> {
  const answers: CallAnswer[] = [];
  for (let n = 0; n < times; n++) answers.push(await call());
  return answers;
}

/** `60 x 200`, or `59 x 200, 1 x 503 overloaded` when they differ. */
function counted(answers: readonly CallAnswer[]): string {
  const outcomes = answers.map(seen);
  const kinds = [...new Set(outcomes)];
  return kinds.map((kind) => `${outcomes.filter((outcome) => outcome === kind).length} x ${kind}`).join(', ');
}

/** At most the last four digits are left. */
const isMasked = (value: unknown): boolean =>
  typeof value === 'string' && value.includes('*') && value.replace(/\D/g, '').length <= 4;

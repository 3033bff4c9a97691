import { principalId } from '@portcullis/contract/ids';
import type { Scope } from '@portcullis/scopes/scopes';
import * as z from 'zod';
import { agentNamed, moveAgent } from '../agents.js';
import { expectShape, pageOf, type Api } from '../api.js';
import type { Published } from '../discovery.js';
import { ApiRefusal } from '../faults.js';
import { callAnswer, toolCall, type CallAnswer } from '../mcp.js';
import { newProver, type Prover } from '../prover.js';
import { tokenAnswer, withSecret } from '../token-request.js';
import type { VerbPorts } from '../verb.js';
import type { KeyHolder, Player, Stage } from './stage.js';

/** How long a consequence of a call may take to show, and how often is looked. */
const PATIENCE_MS = 5_000;
const PAUSE_MS = 100;

/** What all scenarios of one run share. */
export interface Run {
  readonly tenant: string;
  readonly published: Published;
  readonly clients: Api;
  readonly analytics: Api;
  readonly ports: Pick<VerbPorts, 'ask' | 'now' | 'wait' | 'randomWord'>;
  /** throws when the person wants to stop */
  refuseStopped(): void;
}

const created = z.object({ client_id: z.string(), client_secret: z.string() });

/** The stage of one scenario, on the running gate. @param calls every tool call is added here, in order */
export function liveStage(
  { tenant, published, clients, analytics, ports, refuseStopped }: Run,
  calls: CallAnswer[],
): Stage {
  const { resource, tokenEndpoint } = published;
  const idOf = ({ clientId }: Player) => principalId(tenant, clientId);

  const registered = async (ceiling: readonly Scope[], bound: boolean) => {
    refuseStopped();
    const wish = {
      tenant,
      name: 'portcullis demo',
      auth_method: 'client_secret_basic',
      dpop_bound_access_tokens: bound,
      scopes: ceiling,
    };
    const client = expectShape(created, await clients.send('POST', '/clients', wish));
    return { id: client.client_id, secret: client.client_secret };
  };
  const holderOf = (prover: Prover): KeyHolder => {
    let heard = false;
    return {
      async proof(token) {
        // the first answer is a refusal that brings a nonce, and counts as no call of the scenario
        if (!heard) {
          const question = toolCall(token, 'none', {}, await prover.proof(resource, token));
          heard = prover.heard(resource, await ports.ask(resource, question));
        }
        return prover.proof(resource, token);
      },
    };
  };

  return {
    async player(ceiling) {
      const credentials = await registered(ceiling, false);
      const requestToken = async (scopes: readonly Scope[]) =>
        tokenAnswer(await ports.ask(tokenEndpoint, withSecret(credentials, resource, scopes)));
      return { clientId: credentials.id, requestToken };
    },
    async keyedPlayer(ceiling) {
      const credentials = await registered(ceiling, true);
      const prover = await newProver(ports);
      const asked = async (scopes: readonly Scope[]) =>
        ports.ask(tokenEndpoint, withSecret(credentials, resource, scopes, await prover.proof(tokenEndpoint)));
      const requestToken = async (scopes: readonly Scope[]) => {
        const first = await asked(scopes);
        const again = prover.heard(tokenEndpoint, first) && first.status === 400;
        return tokenAnswer(again ? await asked(scopes) : first);
      };
      return { clientId: credentials.id, requestToken, ...holderOf(prover) };
    },
    stranger: async () => holderOf(await newProver(ports)),
    async call(token, tool, args, proof) {
      refuseStopped();
      const answer = callAnswer(tool, await ports.ask(resource, toolCall(token, tool, args, proof)));
      calls.push(answer);
      return answer;
    },
    agentOf: (player) => agentNamed(analytics, idOf(player)).catch(undefinedWhenUnknown),
    async callsRecorded(player) {
      const query = { tenant, agent: idOf(player), type: 'portcullis.call.v1', limit: 200 };
      return pageOf(z.unknown(), await analytics.get('/events', query)).items.length;
    },
    release: (player, reason) => moveAgent(analytics, idOf(player), 'Remediation', reason),
    async until(attempt) {
      const deadline = ports.now() + PATIENCE_MS;
      for (;;) {
        refuseStopped();
        const value = await attempt();
        if (value !== undefined || ports.now() > deadline) return value;
        await ports.wait(PAUSE_MS);
      }
    },
  };
}

function undefinedWhenUnknown(error: unknown): undefined {
  if (error instanceof ApiRefusal && error.status === 404) return undefined;
  throw error;
}

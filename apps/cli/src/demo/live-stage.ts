import { principalId } from '@portcullis/contract/ids';
import type { Scope } from '@portcullis/scopes/scopes';
import * as z from 'zod';
import { agentNamed, moveAgent } from '../agents.js';
import { expectShape, pageOf, type Api } from '../api.js';
import type { Published } from '../discovery.js';
import { ApiRefusal } from '../faults.js';
import { callAnswer, toolCall, type CallAnswer } from '../mcp.js';
import { tokenAnswer, withSecret } from '../token-request.js';
import type { VerbPorts } from '../verb.js';
import type { Player, Stage } from './stage.js';

/** How long a consequence of a call may take to show, and how often is looked. */
const PATIENCE_MS = 5_000;
const PAUSE_MS = 100;

/** What all scenarios of one run share. */
export interface Run {
  readonly tenant: string;
  readonly published: Published;
  readonly clients: Api;
  readonly analytics: Api;
  readonly ports: Pick<VerbPorts, 'ask' | 'now' | 'wait'>;
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

  return {
    async player(ceiling) {
      refuseStopped();
      const wish = {
        tenant,
        name: 'portcullis demo',
        auth_method: 'client_secret_basic',
        // what a scenario tries is tried with a stolen token too
        dpop_bound_access_tokens: false,
        scopes: ceiling,
      };
      const client = expectShape(created, await clients.send('POST', '/clients', wish));
      const credentials = { id: client.client_id, secret: client.client_secret };
      const requestToken = async (scopes: readonly Scope[]) =>
        tokenAnswer(await ports.ask(tokenEndpoint, withSecret(credentials, resource, scopes)));
      return { clientId: client.client_id, requestToken };
    },
    async call(token, tool, args) {
      refuseStopped();
      const answer = callAnswer(tool, await ports.ask(resource, toolCall(token, tool, args)));
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

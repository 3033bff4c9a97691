import * as z from 'zod';
import { pageOf, type Api } from '../api.js';
import { faultOf, NotDone } from '../faults.js';
import type { CallAnswer } from '../mcp.js';
import type { VerbPorts } from '../verb.js';
import { liveStage } from './live-stage.js';
import type { Played, Scenario, Stage } from './stage.js';

/**
 * Plays scenarios one after the other in a tenant made for this run, so that runs do not touch each other or anybody's
 * data, and takes away everything it made, whatever happens between.
 */
export async function playAll(scenarios: readonly Scenario[], ports: VerbPorts): Promise<Played[]> {
  const clients = await ports.admin('authAdmin', ['admin:clients', 'platform:admin']);
  const drills = await ports.admin('mcpAdmin', ['platform:admin']);
  const analytics = await ports.admin('analytics', ['security:read', 'security:respond', 'platform:admin']);
  const published = await ports.published();
  const tenant = `drill-${ports.randomWord()}`;
  const stop = ports.stopSignal();
  const refuseStopped = () => {
    if (stop.aborted) throw new NotDone('Stopped before the end. What the demo had made is removed.');
  };
  const played: Played[] = [];
  try {
    await drills.send('PUT', `/drills/${tenant}`);
    for (const scenario of scenarios) {
      refuseStopped();
      ports.note(`${played.length + 1}/${scenarios.length} ${scenario.scenario}`);
      const calls: CallAnswer[] = [];
      const stage = liveStage({ tenant, published, clients, analytics, ports, refuseStopped }, calls);
      played.push(await playOne(scenario, stage, calls));
    }
    refuseStopped();
  } finally {
    await removeDrill(tenant, clients, drills, ports);
  }
  ports.note(`What it did stays on record: npx portcullis audit tail --tenant ${tenant}`);
  return played;
}

/** One scenario; what goes wrong in it is its outcome and not the end of the run. */
export async function playOne(
  { scenario, expected, play }: Scenario,
  stage: Stage,
  calls: readonly CallAnswer[],
): Promise<Played> {
  const outcome = await play(stage).catch((error: unknown) => `did not finish: ${faultOf(error).message}`);
  return {
    scenario,
    expected,
    outcome,
    ok: outcome === expected,
    calls: calls.map(({ tool, http, refusal }) => ({ tool, http, ...(refusal !== undefined && { refusal }) })),
  };
}

const client = z.object({ client_id: z.string() });

/** Takes the clients from the gate's own list, so that none is left behind even if its registration was not answered. */
async function removeDrill(tenant: string, clients: Api, drills: Api, { note }: VerbPorts): Promise<void> {
  const leftOver = (error: unknown) => note(`Not removed from ${tenant}: ${faultOf(error).message}`);
  try {
    const { items } = pageOf(client, await clients.get('/clients', { tenant, limit: 200 }));
    for (const { client_id } of items) {
      await clients.send('DELETE', `/clients/${encodeURIComponent(client_id)}`, undefined, { tenant }).catch(leftOver);
    }
  } catch (error) {
    leftOver(error);
  }
  await drills.send('DELETE', `/drills/${tenant}`).catch(leftOver);
}

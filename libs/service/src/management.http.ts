import type { ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';
import { apiHeaders } from '@portcullis/guard/headers';
import { hostAllowed } from '@portcullis/guard/hosts';
import { bind, listen, type Bound } from './listener.http.js';
import { isLoopback } from './settings-rules.js';
import type { Mode } from './settings.js';

/** Says 'ok', or in a few words what is not. */
export type Check = () => Promise<string>;

export interface ManagementOptions {
  readonly host: string;
  /** 0 takes a free one */
  readonly port: number;
  /** each dependency by name */
  readonly checks: Readonly<Record<string, Check>>;
  /** what is said besides, by name, and does not make the service less ready */
  readonly notes?: Readonly<Record<string, Check>>;
  readonly metrics: Registry;
  readonly mode: Mode;
}

const CHECK_TIMEOUT_MS = 2_000;
const LOOPBACK_NAMES = ['127.0.0.1', 'localhost', '[::1]'];

/** The management port while it answers. */
export interface Management extends Bound {
  /** From now on the service is not ready, whatever its dependencies say. */
  drain(): void;
}

/** Serves /healthz (alive), /readyz (each dependency with its state; 503 when one is not ok) and /metrics. */
export async function startManagement(options: ManagementOptions): Promise<Management> {
  const { host, port, checks, notes, metrics, mode } = options;
  const bound = await bind(host, port);
  let draining = false;
  const routes: Readonly<Record<string, (response: ServerResponse) => Promise<void>>> = {
    '/healthz': async (response) => json(response, 200, { status: 'alive' }),
    '/readyz': async (response) => {
      if (draining) return json(response, 503, { status: 'draining', mode: mode.toUpperCase(), checks: {} });
      const states = await stateOf(checks);
      const ready = Object.values(states).every((state) => state === 'ok');
      json(response, ready ? 200 : 503, {
        status: ready ? 'ready' : 'not-ready',
        mode: mode.toUpperCase(),
        checks: states,
        ...(notes && { notes: await stateOf(notes) }),
      });
    },
    '/metrics': async (response) => send(response, 200, metrics.contentType, await metrics.metrics()),
  };
  // A page in a browser of this machine must not read it by a name that was made to point here (DNS rebinding). Where the
  // operator opened the port to a network, probes ask by addresses that nobody knows beforehand.
  const knownHost = (name: string | undefined): boolean => !isLoopback(host) || hostAllowed(name, LOOPBACK_NAMES);
  listen(bound, (request, response) => {
    if (!knownHost(request.headers.host)) return json(response, 403, { error: 'host_forbidden' });
    const route = routes[(request.url ?? '').split('?', 1)[0] ?? ''];
    const readable = request.method === 'GET' || request.method === 'HEAD';
    if (route === undefined || !readable)
      return json(response, route ? 405 : 404, { error: route ? 'method_not_allowed' : 'not_found' });
    route(response).catch(() => json(response, 500, { error: 'internal' }));
  });
  return { ...bound, drain: () => void (draining = true) };
}

const stateOf = async (checks: ManagementOptions['checks']): Promise<Record<string, string>> =>
  Object.fromEntries(
    await Promise.all(Object.entries(checks).map(async ([name, check]) => [name, await answerOf(check)])),
  );

/** A check that hangs or throws is a dependency that is not there; its error stays inside. */
async function answerOf(check: Check): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('does not answer'), CHECK_TIMEOUT_MS);
  });
  try {
    return await Promise.race([check(), late]);
  } catch {
    return 'failed';
  } finally {
    clearTimeout(timer);
  }
}

const json = (response: ServerResponse, status: number, body: object): void =>
  send(response, status, 'application/json', JSON.stringify(body));

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { ...apiHeaders, 'Content-Type': type });
  response.end(body);
}

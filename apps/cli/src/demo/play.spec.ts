import type { Api } from '../api.js';
import type { Ask } from '../ask.js';
import { ApiRefusal, NotDone } from '../faults.js';
import type { VerbPorts } from '../verb.js';
import { playAll, playOne } from './play.js';
import type { Scenario, Stage } from './stage.js';

const scenario = (play: Scenario['play'], expected = '200'): Scenario => ({ scenario: 's', expected, play });
const answer = { tool: 't', http: 200, refusal: undefined, output: {}, retryAfterSeconds: undefined, scopes: [] };

describe('one scenario', () => {
  const stage = {} as Stage;

  test('holds when what happened is word for word what was expected', async () => {
    const played = await playOne(
      scenario(async () => '200'),
      stage,
      [answer, { ...answer, http: 403, refusal: 'quarantined' }],
    );
    expect(played).toEqual({
      scenario: 's',
      expected: '200',
      outcome: '200',
      ok: true,
      calls: [
        { tool: 't', http: 200 },
        { tool: 't', http: 403, refusal: 'quarantined' },
      ],
    });
  });

  test('differs when something else happened', async () => {
    expect(
      await playOne(
        scenario(async () => '200 and more'),
        stage,
        [],
      ),
    ).toMatchObject({ outcome: '200 and more', ok: false });
  });

  test('differs, and does not end the run, when it could not be played', async () => {
    const broken = scenario(async () => {
      throw new NotDone('Nobody answers.');
    });
    expect(await playOne(broken, stage, [])).toMatchObject({ outcome: 'did not finish: Nobody answers.', ok: false });
  });
});

/** The gate's APIs as far as a run needs them, noting what was changed. */
function gate(refusing?: string) {
  const done: string[] = [];
  const notes: string[] = [];
  const stop = new AbortController();
  let clients: string[] = [];
  const send: Api['send'] = async (method, path, body) => {
    done.push(`${method} ${path}`);
    if (`${method} ${path}`.startsWith(refusing ?? '-')) throw new ApiRefusal(500, 'The gate refused (HTTP 500).');
    if (method !== 'POST') return undefined;
    const { tenant } = body as { tenant: string };
    clients = [...clients, `c${clients.length + 1}`];
    return { client_id: clients.at(-1), client_secret: 's', tenant };
  };
  const api: Api = {
    send,
    get: async () => ({ items: clients.map((client_id) => ({ client_id })), next_cursor: null }),
  };
  const ask: Ask = async () => ({
    status: 200,
    header: () => undefined,
    text: '{"access_token":"t","expires_in":900}',
  });
  const ports = {
    published: async () => ({
      issuer: '',
      resource: 'http://127.0.0.1:1/mcp',
      tokenEndpoint: 'http://127.0.0.1:1/token',
      jwksUri: '',
    }),
    admin: async () => api,
    ask,
    now: () => 0,
    wait: async () => undefined,
    randomWord: () => 'abcdefghijklmnop',
    note: (line: string) => void notes.push(line),
    stopSignal: () => stop.signal,
  } as unknown as VerbPorts;
  return { ports, done, notes, stop };
}
const twoClients = scenario(async ({ player }) => {
  await player(['customer:read']);
  await player(['customer:read']);
  return '200';
});

describe('a run', () => {
  test('makes a drill tenant, and removes it and every client in it', async () => {
    const { ports, done, notes } = gate();
    expect(await playAll([twoClients], ports)).toMatchObject([{ ok: true }]);
    expect(done).toEqual([
      'PUT /drills/drill-abcdefghijklmnop',
      'POST /clients',
      'POST /clients',
      'DELETE /clients/c1',
      'DELETE /clients/c2',
      'DELETE /drills/drill-abcdefghijklmnop',
    ]);
    expect(notes).toEqual(['1/1 s', expect.stringContaining('audit tail --tenant drill-abcdefghijklmnop')]);
  });

  test('removes what it made when it cannot go on', async () => {
    const { ports, done } = gate('PUT');
    await expect(playAll([twoClients], ports)).rejects.toThrow('The gate refused (HTTP 500).');
    expect(done).toEqual(['PUT /drills/drill-abcdefghijklmnop', 'DELETE /drills/drill-abcdefghijklmnop']);
  });

  test('goes on removing when one removal fails, and says what is left', async () => {
    const { ports, done, notes } = gate('DELETE /clients/c1');
    await playAll([twoClients], ports);
    expect(done.slice(-3)).toEqual([
      'DELETE /clients/c1',
      'DELETE /clients/c2',
      'DELETE /drills/drill-abcdefghijklmnop',
    ]);
    expect(notes.at(-2)).toBe('Not removed from drill-abcdefghijklmnop: The gate refused (HTTP 500).');
  });

  test('stopped by a person ends before the next call and removes what it made', async () => {
    const { ports, done, stop } = gate();
    const stopped = scenario(async ({ player }) => {
      await player(['customer:read']);
      stop.abort();
      await player(['customer:read']);
      return '200';
    });
    await expect(playAll([stopped, twoClients], ports)).rejects.toThrow(/^Stopped before the end/);
    expect(done).toEqual([
      'PUT /drills/drill-abcdefghijklmnop',
      'POST /clients',
      'DELETE /clients/c1',
      'DELETE /drills/drill-abcdefghijklmnop',
    ]);
  });
});

import { Gate } from './gate.js';

let gate: Gate;
beforeAll(async () => {
  gate = await Gate.start();
}, 60_000);
afterAll(() => gate?.stop());

interface Scenario {
  readonly scenario: string;
  readonly expected: string;
  readonly outcome: string;
  readonly ok: boolean;
  readonly calls: readonly { tool: string; http: number; refusal?: string }[];
}
const play = async (): Promise<{ code: number; scenarios: Scenario[] }> => {
  const { code, out } = await gate.portcullis('demo', '--json');
  return { code, scenarios: JSON.parse(out) as Scenario[] };
};

test('the demo plays its ten scenarios as promised, again, and twice at once', async () => {
  const runs = [await play(), await play(), ...(await Promise.all([play(), play()]))];
  for (const { code, scenarios } of runs) {
    expect(scenarios).toHaveLength(10);
    expect(scenarios.filter(({ ok, outcome, expected }) => !ok || outcome !== expected)).toEqual([]);
    expect(code).toBe(0);
  }
  const refusals = runs[0]!.scenarios.flatMap(({ calls }) => calls.flatMap(({ refusal }) => refusal ?? []));
  const promised = [
    'input_invalid',
    'scope_insufficient',
    'token_missing',
    'dpop_invalid',
    'rate_limited',
    'quarantined',
  ];
  expect(refusals).toEqual(expect.arrayContaining(promised));
}, 120_000);

test('the demo leaves no client, no agent and no customer of its tenant behind', async () => {
  const [clients, agents] = await Promise.all([
    gate.portcullis('client', 'list', '--json', '--limit', '200'),
    gate.portcullis('agent', 'list', '--json', '--limit', '200'),
  ]);
  expect(clients.out + agents.out).not.toContain('drill-');
}, 60_000);

import { decodeProtectedHeader } from 'jose';
import { Gate, outcomeOf, type DemoClient } from './gate.js';

let gate: Gate;
beforeAll(async () => {
  gate = await Gate.start();
}, 60_000);
afterAll(() => gate.stop());

const pause = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms).unref());
interface Key {
  readonly kid: string;
  readonly alg: string;
  readonly state: string;
  readonly notBefore: string;
  readonly notAfter: string | null;
}
const listed = async (): Promise<Key[]> => {
  const { code, out } = await gate.portcullis('keys', 'list', '--json');
  expect(code).toBe(0);
  return JSON.parse(out) as Key[];
};

test('keys rotate three times while agents work, and no call is refused for its token', async () => {
  // more clients than one, so that no limit is in the way
  const clients = await Promise.all(
    Array.from({ length: 8 }, () => gate.newClient(['account:calculate'], { dpop_bound_access_tokens: false })),
  );
  const outcomes = new Map<string, number>();
  const kids = new Set<unknown>();
  let running = true;
  let stop = () => {};
  const stopped = new Promise<void>((resolve) => (stop = resolve));
  const agent = async (client: DemoClient): Promise<void> => {
    let old: string | undefined;
    while (running) {
      const token = await gate.tokenFor(client);
      kids.add(decodeProtectedHeader(token).kid);
      for (const each of [token, (old ??= token)]) {
        const answer = await gate.call(each, 'calculate_account_value', { purchases: [1, 2] });
        const outcome = `${answer.status} ${outcomeOf(answer)}`;
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
      // 30 calls of this tool a minute are an agent's; these come to fewer
      await Promise.race([pause(5_000), stopped]);
    }
  };
  const load = clients.map(async (client, at) => {
    await pause(at * 600);
    return agent(client);
  });

  const rotated = await gate.portcullis('keys', 'rotate', '--json');
  expect([rotated.code, (JSON.parse(rotated.out) as Key[]).map(({ state }) => state)]).toEqual([
    0,
    ['active', 'next', 'retiring'],
  ]);
  const soon = await gate.portcullis('keys', 'rotate');
  expect([soon.code, soon.out]).toEqual([1, '']);
  expect(soon.said).toMatch(/works from \d{4}-.*Z on\. .*add --now/);
  for (let n = 0; n < 2; n += 1) {
    await pause(10_000);
    const early = await gate.portcullis('keys', 'rotate', '--now', '--json');
    expect([early.code, early.said]).toEqual([0, expect.stringMatching(/up to 5 minutes/)]);
  }
  await pause(1_000);
  running = false;
  stop();
  await Promise.all(load);

  expect(Object.fromEntries(outcomes)).toEqual({ '200 allowed': expect.any(Number) });
  expect(outcomes.get('200 allowed')).toBeGreaterThan(40);
  expect(kids.size).toBe(4);
  expect(await listed()).toEqual([
    expect.objectContaining({ alg: 'ES256', state: 'active', notAfter: null }),
    expect.objectContaining({ alg: 'ES256', state: 'next', notAfter: null }),
    ...Array.from({ length: 3 }, () =>
      expect.objectContaining({ state: 'retiring', notAfter: expect.stringMatching(/Z$/) }),
    ),
  ]);
}, 120_000);

import { Gate, type DemoClient } from './gate.js';

let gate: Gate;
beforeAll(async () => {
  gate = await Gate.start();
}, 60_000);
afterAll(() => gate?.stop());

const cli = async <T>(...args: string[]): Promise<T> => {
  const { code, out, said } = await gate.portcullis(...args, '--json');
  if (code !== 0) throw new Error(`portcullis ${args.join(' ')} exits ${code}: ${said}`);
  return JSON.parse(out) as T;
};
const status = async (client: DemoClient) => (await gate.requestToken(client)).status;

test('a client is added, rotated, disabled and enabled from the command line, and each counts at once', async () => {
  const added = await cli<DemoClient>('client', 'add', 'e2e', '--scope', 'customer:read', '--bearer');
  expect(added).toEqual({ client_id: expect.any(String), client_secret: expect.any(String) });
  const id = added.client_id;
  expect(await status(added)).toBe(200);
  expect(await cli('client', 'show', id)).toMatchObject({
    dpop_bound_access_tokens: false,
    require_pushed_authorization_requests: false,
  });

  const rotated = await cli<DemoClient>('client', 'rotate', id);
  expect(rotated).toMatchObject({ client_id: id, previous_secret_expires_at: expect.any(String) });
  expect([await status(added), await status(rotated)]).toEqual([200, 200]);
  const last = await cli<DemoClient>('client', 'rotate', id, '--overlap', '0');
  expect([await status(added), await status(rotated), await status(last)]).toEqual([401, 401, 200]);

  await cli('client', 'disable', id);
  expect(await status(last)).toBe(401);
  await cli('client', 'enable', id);
  expect(await status(last)).toBe(200);
  for (const { client_secret: secret } of [added, rotated, last]) expect(gate.output).not.toContain(secret);
}, 60_000);

test('a machine is bound to its key unless it is added with --bearer', async () => {
  const added = await cli<DemoClient>('client', 'add', 'bound', '--scope', 'customer:read');
  expect(await cli('client', 'show', added.client_id)).toMatchObject({ dpop_bound_access_tokens: true });
  expect(await status(added)).toBe(400);
}, 30_000);

test('a user is added, disabled, enabled and given another password from the command line', async () => {
  const added = await cli<{ user_id: string; password: string }>('user', 'add', 'nia', '--role', 'analyst');
  expect(await cli('user', 'disable', 'nia')).toEqual({ user_id: added.user_id, disabled: true });
  const [nia] = (await cli<{ username: string; disabled: boolean }[]>('user', 'list', '--limit', '200')).filter(
    ({ username }) => username === 'nia',
  );
  expect(nia?.disabled).toBe(true);
  await cli('user', 'enable', 'nia');
  const reset = await cli<{ username: string; password: string }>('user', 'reset', added.user_id);
  expect(reset).toMatchObject({ username: 'nia', password: expect.any(String) });
  expect(reset.password).not.toBe(added.password);
  for (const { password } of [added, reset]) expect(gate.output).not.toContain(password);
}, 60_000);

test('bootstrap is for deployments: here the local administrator is named', async () => {
  const { code, out, said } = await gate.portcullis('bootstrap');
  expect([code, out, said]).toEqual([2, '', expect.stringContaining('has an administrator already')]);
}, 30_000);

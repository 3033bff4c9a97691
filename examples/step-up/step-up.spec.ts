import {
  Client,
  ClientCredentialsProvider,
  SdkHttpError,
  StreamableHTTPClientTransport,
  UnauthorizedError,
  type AuthProvider,
  type OAuthClientProvider,
} from '@modelcontextprotocol/client';
// eslint-disable-next-line @nx/enforce-module-boundaries -- the gate and the browser that the end-to-end tests have
import { Browser } from '../../apps/standalone/e2e/browser.js';
// eslint-disable-next-line @nx/enforce-module-boundaries
import { Gate, MOVABLE_CLOCK, until } from '../../apps/standalone/e2e/gate.js';
import { freshLogin } from './fresh-login.js';
import { Person } from './person.js';

let gate: Gate;
beforeAll(async () => {
  gate = await Gate.start(['--ephemeral'], MOVABLE_CLOCK);
});
afterAll(() => gate?.stop());

interface Sent {
  readonly to: 'mcp' | 'token' | 'other';
  readonly status: number;
  readonly text: string;
}

/** A client of the SDK, and every request that it sends. */
function clientOf(authProvider: OAuthClientProvider | AuthProvider) {
  const sent: Sent[] = [];
  const fetching = async (url: string | URL, init?: RequestInit): Promise<Response> => {
    const response = await fetch(url, init);
    const { pathname } = new URL(url);
    const to = ({ '/mcp': 'mcp', '/token': 'token' } as const)[pathname] ?? 'other';
    sent.push({ to, status: response.status, text: await response.clone().text() });
    return response;
  };
  const transportOf = () =>
    new StreamableHTTPClientTransport(new URL(gate.ready.mcp), { authProvider, fetch: fetching });
  const client = new Client({ name: 'step-up', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  return { client, sent, transportOf };
}
const statuses = (sent: readonly Sent[], to: Sent['to']): number[] =>
  sent.filter((one) => one.to === to).map(({ status }) => status);

const machine = async (scopes: readonly string[], scope: string) => {
  const account = await gate.newClient(scopes);
  return new ClientCredentialsProvider({
    clientId: account.client_id,
    clientSecret: account.client_secret!,
    scope,
    expectedIssuer: gate.ready.authServer,
  });
};

/** The demo's supervisor at the demo's desktop client, with a browser of its own; counts how often it signs in. */
function supervisor(scope?: string) {
  const { username, password } = gate.demo.users.find(({ roles }) => roles.includes('supervisor'))!;
  const browser = new Browser(gate.ready.authServer);
  const asked: URL[] = [];
  const person = new Person(
    { client_id: 'desktop' },
    'http://127.0.0.1:45679/callback',
    async (url) => {
      asked.push(url);
      const page = await browser.open(url.href);
      if (!page.url.startsWith(gate.ready.authServer)) return new URL(page.url).searchParams;
      const consent = page.html.includes('name="password"') ? await browser.submit(page, { username, password }) : page;
      if (!consent.url.startsWith(gate.ready.authServer)) return new URL(consent.url).searchParams;
      return new URL((await browser.submit(consent, { decision: 'allow' })).url).searchParams;
    },
    scope,
  );
  return { person, asked };
}

/** Moves the clock of the platform on by 400 s: every sign-in is now older than the five minutes of delete_customer. */
async function letTimePass(): Promise<void> {
  const moved = () => gate.output.split('s ahead').length;
  const before = moved();
  gate.child.kill('SIGUSR2');
  await until(() => moved() > before);
}

const remove = { name: 'delete_customer', arguments: { customer_id: 'XYZ789' } };

describe('a scope that the token lacks', () => {
  test('a machine gets all scopes of the operation by itself, in one go', async () => {
    const { client, sent, transportOf } = clientOf(await machine(['customer:read', 'customer:list'], 'customer:read'));
    await client.connect(transportOf());
    sent.length = 0;
    const { structuredContent } = await client.callTool({ name: 'get_recent_customers', arguments: { limit: 20 } });
    expect(structuredContent).toHaveProperty('customers');
    expect([statuses(sent, 'mcp'), statuses(sent, 'token')]).toEqual([[403, 200], [200]]);
    await client.close();
  });

  test('a person is asked for all of them once, and the client goes on', async () => {
    const { person, asked } = supervisor();
    const { client, sent, transportOf } = clientOf(person);
    const first = transportOf();
    await expect(client.connect(first)).rejects.toBeInstanceOf(UnauthorizedError);
    await first.finishAuth(await person.signedIn());
    const second = transportOf();
    await client.connect(second);
    sent.length = 0;
    const update = { name: 'update_customer', arguments: { customer_id: '67890', status: 'active' } };
    await expect(client.callTool(update)).rejects.toBeInstanceOf(UnauthorizedError);
    await second.finishAuth(await person.signedIn());
    expect((await client.callTool(update)).isError).not.toBe(true);
    expect(statuses(sent, 'mcp')).toEqual([403, 200]);
    expect(asked).toHaveLength(2);
    expect(asked[1]!.searchParams.get('scope')!.split(' ')).toEqual(
      expect.arrayContaining(['customer:read', 'customer:write']),
    );
    await client.close();
  });
});

describe('a login that is too old', () => {
  test('a machine, which can never sign in, asks for one more token, and is told to stop', async () => {
    const { client, sent, transportOf } = clientOf(
      await machine(['customer:read', 'customer:delete'], 'customer:read'),
    );
    await client.connect(transportOf());
    sent.length = 0;
    await expect(client.callTool(remove)).rejects.toThrow(/401/);
    expect([statuses(sent, 'mcp'), statuses(sent, 'token')]).toEqual([
      [403, 401, 401],
      [200, 200],
    ]);
    const { error } = JSON.parse(sent.find(({ to, status }) => to === 'mcp' && status === 401)!.text) as {
      error: { message: string };
    };
    expect(error.message).toMatch(/Only a person who signs in can do this.*do not try again, ask a person/);
    await client.close();
  });

  // from here on the platform is ahead of this process, and takes no assertion that is signed here
  test('our onUnauthorized has the person sign in again, and the call goes on', async () => {
    const { person, asked } = supervisor('customer:delete');
    const { client, sent, transportOf } = clientOf(freshLogin(person));
    await client.connect(transportOf());
    await letTimePass();
    sent.length = 0;
    const { _meta } = await client.callTool(remove);
    // past the login; what stands before it now is somebody else, who approves
    const { code } = (_meta?.['portcullis/refusal'] ?? {}) as { code?: string };
    expect(code).toBe('approval_needed');
    expect(statuses(sent, 'mcp')).toEqual([401, 200]);
    expect(asked.map((url) => url.searchParams.get('max_age'))).toEqual([null, '300']);
    await client.close();
  });

  test('a client that only knows how to get tokens ends in one clear error, and does not go on asking', async () => {
    const { person, asked } = supervisor('customer:delete');
    const fresh = clientOf(freshLogin(person));
    await fresh.client.connect(fresh.transportOf());
    await fresh.client.close();
    await letTimePass();
    const { client, sent, transportOf } = clientOf(person);
    await client.connect(transportOf());
    sent.length = 0;
    const error: unknown = await client.callTool(remove).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(person.tokens()!.refresh_token === undefined ? UnauthorizedError : SdkHttpError);
    expect(statuses(sent, 'mcp').length).toBeLessThanOrEqual(2);
    expect(statuses(sent, 'mcp').every((status) => status === 401)).toBe(true);
    expect(statuses(sent, 'token').length).toBeLessThanOrEqual(1);
    expect(asked).toHaveLength(1);
    await client.close();
  });
});

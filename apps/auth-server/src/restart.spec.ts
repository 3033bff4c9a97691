import { randomBytes } from 'node:crypto';
import { memoryBus } from '@portcullis/bus/bus.memory';
import { principalId } from '@portcullis/contract/ids';
import { Secret } from '@portcullis/contract/secret';
import type { BehaviourState } from '@portcullis/contract/standing';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { askAdmin, machine } from './admin.fixture.js';
import { authorizeUrl, exchange, grantAs } from './flow.fixture.js';
import { pkce } from './browser.fixture.js';
import {
  adminToken,
  assertion,
  ASSERTION_TYPE,
  MCP,
  postToken,
  secretOf,
  startGate,
  world,
  type Gate,
  type World,
  sayStanding,
} from './gate.fixture.js';

let of: World;
beforeAll(async () => {
  of = await world();
}, 60_000);
afterAll(() => of.database.close());

/** Runs the server for the length of `use`. */
async function running<T>(
  use: (gate: Gate) => Promise<T>,
  ...more: Parameters<typeof startGate> extends [World, ...infer R] ? R : never
) {
  const gate = await startGate(of, ...more);
  try {
    return await use(gate);
  } finally {
    await gate.close();
  }
}
const GRANT = { grant_type: 'client_credentials' };
const key = () => [new Secret(randomBytes(32).toString('base64url'))] as const;

describe('after a restart', () => {
  test('tokens, clients, people, sessions and codes of before are still good', async () => {
    const before = await running(async (gate) => {
      const admin = await adminToken(gate, gate.uris.authAdmin, 'admin:clients');
      const added = await askAdmin(gate, admin, 'POST', '/clients', machine({ scopes: ['ticket:read'] }));
      return {
        token: String((await postToken(gate, GRANT, secretOf(gate.demo, 'support-agent'))).body.access_token),
        client: added.body as { client_id: string; client_secret: string },
        granted: await grantAs(gate, gate.demo.users[0]!, { scope: 'customer:read' }),
        keys: await (await fetch(`${gate.issuer}/jwks`)).text(),
      };
    });
    await running(async (gate) => {
      expect(await (await fetch(`${gate.issuer}/jwks`)).text()).toBe(before.keys);
      const keys = createRemoteJWKSet(new URL(`${gate.issuer}/jwks`));
      await jwtVerify(before.token, keys, { issuer: gate.issuer, audience: MCP });
      const { client_id, client_secret } = before.client;
      const authorization = `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}`;
      expect(await postToken(gate, GRANT, { authorization })).toMatchObject({ status: 200 });
      const { granted } = before;
      expect(await exchange(gate, granted.code ?? '', granted.verifier)).toMatchObject({ status: 200 });
      const again = await granted.browser.open(
        authorizeUrl(gate, { scope: 'customer:read', code_challenge: pkce().challenge, code_challenge_method: 'S256' }),
      );
      expect(again.html).toContain('signed in as <strong>sam');
    });
  }, 60_000);

  test("the demo's accounts are what demo.json says, and people keep their ids", async () => {
    const subOf = (gate: Gate) =>
      grantAs(gate, gate.demo.users[0]!).then(async ({ code, verifier }) => {
        return decodeJwt(String((await exchange(gate, code ?? '', verifier)).body.access_token)).sub;
      });
    const before = await running(subOf);
    const accounts = of.demo;
    of.demo = structuredClone(accounts);
    of.demo.users[0]!.password = 'a new password for sam';
    of.demo.clients['support-agent'].client_secret = 'a new secret';
    await running(async (gate) => {
      expect(await subOf(gate)).toBe(before);
      expect(await postToken(gate, GRANT, secretOf(gate.demo, 'support-agent'))).toMatchObject({ status: 200 });
      expect(await postToken(gate, GRANT, secretOf(accounts, 'support-agent'))).toMatchObject({ status: 401 });
    });
    of.demo = accounts;
  }, 60_000);

  test('the key of the local administrator of before opens nothing', async () => {
    const oldKey = await running((gate) => Promise.resolve(gate.adminKey));
    await running(async (gate) => {
      const form = {
        ...GRANT,
        client_assertion_type: ASSERTION_TYPE,
        resource: gate.uris.authAdmin,
        scope: 'admin:users',
      };
      const ask = async (adminKey: Gate['adminKey']) =>
        postToken(gate, { ...form, client_assertion: await assertion(adminKey, 'local-admin', gate.issuer) });
      expect(await ask(oldKey)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
      expect(await ask(gate.adminKey)).toMatchObject({ status: 200, body: { expires_in: 300 } });
    });
    await running(
      async (gate) => {
        const client_assertion = await assertion(gate.adminKey, 'local-admin', gate.issuer);
        const form = { ...GRANT, client_assertion_type: ASSERTION_TYPE, client_assertion };
        expect(await postToken(gate, form)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
      },
      { localAdmin: undefined },
    );
  }, 60_000);

  test('with new cookie and secret keys and the old ones behind them, everything is still good', async () => {
    const granted = await running((gate) => grantAs(gate, gate.demo.users[0]!, { scope: 'customer:read' }));
    const { keys, demo } = of;
    const behind = ([present]: readonly [Secret, ...Secret[]]) => [...key(), present] as const;
    const rotated = {
      keyEncryption: behind(keys.keyEncryption),
      cookie: behind(keys.cookie),
      secretHash: behind(keys.secretHash),
    };
    await running(
      async (gate) => {
        const again = await granted.browser.open(
          authorizeUrl(gate, {
            scope: 'customer:read',
            code_challenge: pkce().challenge,
            code_challenge_method: 'S256',
          }),
        );
        expect(again.html).toContain('signed in as <strong>sam');
        expect(await postToken(gate, GRANT, secretOf(demo, 'support-agent'))).toMatchObject({ status: 200 });
      },
      { keys: rotated, demo: undefined },
    );
    // the signing keys were sealed anew: what is started from here on does without the old KEY_ENCRYPTION_KEY
    of.keys = { ...keys, keyEncryption: [rotated.keyEncryption[0]] };
    await running(async (gate) => {
      expect(await postToken(gate, GRANT, secretOf(gate.demo, 'support-agent'))).toMatchObject({ status: 200 });
    });
  }, 60_000);

  test('with another KEY_ENCRYPTION_KEY it does not start, and says which key is missing', async () => {
    const keys = { ...of.keys, keyEncryption: key() };
    const { port } = of;
    of.port = 0;
    await expect(startGate(of, { keys })).rejects.toThrow(/cannot be opened: KEY_ENCRYPTION_KEY is not the one/);
    of.port = port;
  });
});

describe('a principal that is contained', () => {
  test.each<[BehaviourState, number]>([
    ['Isolated', 400],
    ['Compromised', 400],
    ['Remediation', 200],
    ['Suspicious', 200],
  ])(
    'in state %s gets %d at /token, at once, and others are not touched',
    async (state, status) => {
      await running(async (gate) => {
        const agent = principalId('default', 'support-agent');
        await gate.say(agent, state);
        const reply = await postToken(gate, GRANT, secretOf(gate.demo, 'support-agent'));
        expect(reply.status).toBe(status);
        if (status === 400) {
          expect(reply.body.error).toBe('access_denied');
          expect(gate.events.seen.at(-1)).toMatchObject({
            subject: agent,
            data: { action: 'token.refused', reason: expect.stringContaining('access_denied') },
          });
        }
        expect(await postToken(gate, GRANT, secretOf(gate.demo, 'reporting-agent'))).toMatchObject({ status: 200 });
        await gate.say(agent, 'Normal');
        expect(await postToken(gate, GRANT, secretOf(gate.demo, 'support-agent'))).toMatchObject({ status: 200 });
      });
    },
    60_000,
  );

  test('is a person with a client: the same person elsewhere, and others there, are not touched', async () => {
    await running(async (gate) => {
      const [sam, uma] = [gate.demo.users[0]!, gate.demo.users[1]!];
      const first = await grantAs(gate, sam);
      const claims = decodeJwt(String((await exchange(gate, first.code ?? '', first.verifier)).body.access_token));
      await gate.say(principalId('default', 'desktop', claims.sub), 'Isolated');
      const second = await grantAs(gate, sam);
      expect(await exchange(gate, second.code ?? '', second.verifier)).toMatchObject({
        status: 400,
        body: { error: 'access_denied' },
      });
      const signIn = await grantAs(gate, sam, { scope: 'openid' });
      expect(await exchange(gate, signIn.code ?? '', signIn.verifier)).toMatchObject({
        status: 400,
        body: { error: 'access_denied' },
      });
      const other = await grantAs(gate, uma);
      expect(await exchange(gate, other.code ?? '', other.verifier)).toMatchObject({ status: 200 });
    });
  }, 60_000);

  test('stays so over a restart, from the first request on', async () => {
    const bus = memoryBus();
    await sayStanding(bus, of, principalId('default', 'support-agent'), 'Isolated');
    await running(
      async (gate) => {
        expect(await postToken(gate, GRANT, secretOf(gate.demo, 'support-agent'))).toMatchObject({
          status: 400,
          body: { error: 'access_denied' },
        });
      },
      { bus },
    );
  });

  test('may not use the admin API either', async () => {
    await running(async (gate) => {
      const token = await adminToken(gate, gate.uris.authAdmin, 'admin:users');
      const ask = () => fetch(`${gate.issuer}/admin/v1/users`, { headers: { authorization: `Bearer ${token}` } });
      expect((await ask()).status).toBe(200);
      await gate.say(principalId('default', 'local-admin'), 'Isolated');
      expect((await ask()).status).toBe(403);
    });
  });
});

test('auth_time is when the person typed the password, by our clock, however long they thought about the rest', async () => {
  await running(
    async (gate) => {
      const { code, verifier } = await grantAs(gate, gate.demo.users[0]!);
      const { iat = 0, auth_time: at } = decodeJwt(
        String((await exchange(gate, code ?? '', verifier)).body.access_token),
      );
      expect(iat - Number(at)).toBeGreaterThanOrEqual(100);
    },
    { now: () => Date.now() - 100_000 },
  );
}, 60_000);

describe('outside embedded mode', () => {
  const env = {
    PORTCULLIS_MODE: 'hardened',
    AUTH_ISSUER: 'https://auth.example',
    MCP_RESOURCE: 'https://gate.example/mcp',
    RATE_LIMITER_URL: 'https://limits.example',
    ANALYTICS_URL: 'https://analytics.example',
    DATABASE_URL: 'postgres://db.example/portcullis',
    KAFKA_BROKERS: 'kafka.example:9092',
    OUTBOX_DIR: '/var/lib/portcullis/outbox',
    KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64url'),
    COOKIE_KEY: randomBytes(32).toString('base64url'),
    SECRET_HASH_KEY: randomBytes(32).toString('base64url'),
    STATEMENT_KEY: randomBytes(32).toString('base64url'),
    STATEMENT_PUBLIC_KEYS: ['security-analytics', 'rate-limiter']
      .map((signer) => `${signer}=${randomBytes(32).toString('base64url')}`)
      .join(','),
  };
  test.each([
    ['demo accounts', { localAdmin: undefined }],
    ['a local administrator', { demo: undefined }],
    ['demo clients left in the database', { demo: undefined, localAdmin: undefined }],
  ])('it does not start with %s', async (_says, more) => {
    const { port } = of;
    of.port = 0;
    await expect(startGate(of, more, env)).rejects.toThrow(/DEMO/);
    of.port = port;
  });
});

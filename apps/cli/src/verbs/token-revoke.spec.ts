import type { Api } from '../api.js';
import type { VerbPorts } from '../verb.js';
import { tokenRevoke } from './token-revoke.js';

const AGENT = `agt_${'a'.repeat(26)}`;

function gate(text = 'eyJ0.eyJx.sig\n') {
  const sent: unknown[] = [];
  const read: string[] = [];
  const scopes: unknown[] = [];
  const api = {
    async send(method: string, path: string, body: { what: string; id?: string }) {
      sent.push([method, path, body]);
      return { tenant: 'default', what: body.what, id: body.id ?? 'made-of-it' };
    },
  } as unknown as Api;
  const ports = {
    admin: async (_name: string, asked: unknown) => (scopes.push(asked), api),
    fileText: async (path: string) => (read.push(path), text),
  } as unknown as VerbPorts;
  return { ports, sent, read, scopes };
}
const given = (more: object) => tokenRevoke.input.parse(more);

test('no option takes a token', () => {
  const taken = tokenRevoke.options.map(({ flags }) => flags).join(' ');
  expect([taken, tokenRevoke.argument]).toEqual([expect.not.stringMatching(/token|secret/i), undefined]);
});

test.each(['./token.txt', '-'])('a token is read from %s, and not printed', async (file) => {
  const { ports, sent, read } = gate();
  const { json, text } = await tokenRevoke.run(given({ file, reason: 'leaked' }), ports);
  expect(read).toEqual([file]);
  expect(sent).toEqual([['POST', '/revocations', { what: 'token', token: 'eyJ0.eyJx.sig', reason: 'leaked' }]]);
  expect(json).toEqual({ what: 'token', id: 'made-of-it', revoked: true });
  expect(text).not.toContain('eyJ0');
});

test.each<[object, object]>([
  [{ grant: 'g1' }, { what: 'grant', id: 'g1' }],
  [{ client: 'c1' }, { what: 'client', id: 'c1' }],
  [{ user: 'usr_1' }, { what: 'user', id: 'usr_1' }],
  [{ agent: AGENT }, { what: 'principal', id: AGENT }],
  [
    { agent: 'support-agent', tenant: 't1' },
    { what: 'principal', client_id: 'support-agent', tenant: 't1' },
  ],
])('%j asks for %j', async (options, body) => {
  const { ports, sent, scopes } = gate();
  await tokenRevoke.run(given(options), ports);
  expect(sent).toEqual([['POST', '/revocations', body]]);
  expect(scopes).toEqual([['admin:clients', 'admin:users', ...('tenant' in body ? ['platform:admin'] : [])]]);
});

test.each([[{}], [{ grant: 'g', client: 'c' }], [{ file: 'f', agent: 'a' }]])('%j is wrong use', (options) => {
  expect(tokenRevoke.input.safeParse(options).success).toBe(false);
});

test.each(['', ' \n', 'two words', 'x'.repeat(8193)])('a file that holds no token is wrong use', async (text) => {
  const { ports, sent } = gate(text);
  await expect(tokenRevoke.run(given({ file: 'f' }), ports)).rejects.toThrow('holds no token');
  expect(sent).toEqual([]);
});

import { MODERN, legacy, modern, startRig, type Rig, type TokenWords } from './rig.fixture.js';

/** One issuer and one name for both, as behind a balancer; everything else of each is its own. */
let replicas: [Rig, Rig];
beforeAll(async () => {
  const first = await startRig();
  const second = await startRig({ AUTH_ISSUER: first.issuer.url, MCP_RESOURCE: first.mcp });
  replicas = [first, second];
}, 60_000);
afterAll(() => Promise.all(replicas.map((rig) => rig.close())));

const ALL_SCOPES = [
  'account:calculate customer:delete customer:list customer:read customer:write data:delete data:export',
  'diagnostics:run email:send sentiment:analyze ticket:create ticket:read',
].join(' ');

describe.each([
  [MODERN, modern('tools/list')],
  ['2025-11-25', legacy('tools/list')],
])('revision %s', (_revision, { headers, body }) => {
  it.each<[string, TokenWords, number]>([
    ['of one scope', {}, 2],
    ['of one scope under a wide ceiling', { scope: 'ticket:read', ceiling: ALL_SCOPES }, 14],
    ['of a person with every scope', { scope: ALL_SCOPES, claims: { sub: 'ada' } }, 14],
  ])('the list of tools for a token %s is the same of any replica, byte for byte', async (_what, words, count) => {
    // what one of them was asked before changes nothing
    await replicas[0].post({ headers, body }, { client: 'another', scope: 'email:send' });
    const authorization = `Bearer ${await replicas[0].token(words)}`;
    const listed = replicas.map(({ mcp, raw }) =>
      raw({
        url: mcp,
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json', authorization, ...headers },
        body: JSON.stringify(body),
      }),
    );
    const [one, other] = await Promise.all(listed);
    expect([one!.status, other!.status]).toEqual([200, 200]);
    expect(one!.json.result.tools).toHaveLength(count);
    expect(other!.text).toBe(one!.text);
  });
});

import { Client, StreamableHTTPClientTransport, type ClientOptions } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { DELETE, person, refusalIn, samsAgent, saysIn, type Page } from './approvals.fixture.js';
import { call, META, startRig, type Rig, type TokenWords } from './rig.fixture.js';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
}, 60_000);
afterAll(() => rig?.close());

let agents = 0;
const newAgent = (): TokenWords => samsAgent(rig, { client: `desktop-${++agents}` });
const bearer = async (words: TokenWords) => ({ headers: { authorization: `Bearer ${await rig.token(words)}` } });

type Elicited = { readonly mode?: string | undefined; readonly url?: string | undefined; readonly message: string };
/** SDK v2 at 2026-07-28, which opens the pages it is asked to open with `onPage`. */
async function hostWith(
  capabilities: NonNullable<ClientOptions['capabilities']>,
  onPage: (asked: Elicited) => Promise<'accept' | 'decline' | 'cancel'>,
  words = newAgent(),
) {
  const client = new Client(
    { name: 'host', version: '1' },
    { capabilities, versionNegotiation: { mode: { pin: '2026-07-28' } } },
  );
  const elicited: Elicited[] = [];
  if (capabilities.elicitation) {
    client.setRequestHandler('elicitation/create', async ({ params }) => {
      elicited.push(params as Elicited);
      return { action: await onPage(params as Elicited) };
    });
  }
  await client.connect(new StreamableHTTPClientTransport(new URL(rig.mcp), { requestInit: await bearer(words) }));
  return { client, elicited, words };
}
const URLS = { elicitation: { url: {} } };
const remove = (customer_id: string) => ({ name: 'delete_customer', arguments: { customer_id } });

test('a host that opens URLs has the page opened, and the call done, in one call of the SDK', async () => {
  const pages: Page[] = [];
  const { client, elicited } = await hostWith(URLS, async ({ url }) => {
    pages.push(await person(rig, 'rita').decide(url!));
    return 'accept';
  });
  const done = await client.callTool(remove('ABC123'));
  expect(done.structuredContent).toEqual({ customer_id: 'ABC123', deleted: true });
  expect(elicited).toEqual([
    {
      mode: 'url',
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/approvals\/apr_[a-z2-7]{26}$/),
      message: 'A person other than you has to approve this call of delete_customer.',
    },
  ]);
  expect(pages[0]!.html).toContain('It is approved');
  expect(rig.events.calls().map(({ outcome }) => outcome)).toEqual(
    expect.arrayContaining(['approval_needed', 'attempted', 'allowed']),
  );
  await client.close();
});

test.each(['accept', 'decline', 'cancel'] as const)(
  'that the host said %s is nobody’s yes: nothing is executed, and the call can be repeated later',
  async (action) => {
    const { client, elicited } = await hostWith(URLS, async () => action);
    const refused = await client.callTool(remove('67890'));
    expect(refused.isError).toBe(true);
    expect(refused._meta?.['portcullis/refusal']).toMatchObject({
      code: 'approval_needed',
      approvalUrl: elicited[0]!.url,
    });
    expect(elicited).toHaveLength(1);
    expect(rig.events.lastCall()).toMatchObject({ outcome: 'approval_needed', denial: false });
    await client.close();
  },
);

test('approved after the host gave up, the same call goes through without asking', async () => {
  const { client, elicited } = await hostWith(URLS, async () => 'accept');
  const refused = await client.callTool(remove('67890'));
  await person(rig, 'rita').decide(elicited[0]!.url!);
  const { approval } = refused._meta?.['portcullis/refusal'] as { approval: string };
  const done = await client.callTool({ ...remove('67890'), _meta: { 'portcullis/approval': approval } });
  expect(done.structuredContent).toEqual({ customer_id: '67890', deleted: true });
  expect(elicited).toHaveLength(1);
  await client.close();
});

test.each([
  ['fills in forms only', { elicitation: { form: {} } }],
  ['elicits nothing', {}],
])('a host that %s gets the URL in the refusal', async (_, capabilities) => {
  const { client, elicited } = await hostWith(capabilities, async () => 'accept');
  const refused = await client.callTool(remove('XYZ789'));
  expect(refused._meta?.['portcullis/refusal']).toMatchObject({
    code: 'approval_needed',
    approvalUrl: expect.stringContaining('/approvals/apr_'),
  });
  expect(elicited).toEqual([]);
  await client.close();
});

test('SDK v1 gets the URL in the refusal, and repeats the call with what it says', async () => {
  const words = newAgent();
  const client = new ClientV1({ name: 'v1', version: '1' }, { capabilities: { elicitation: { url: {} } } });
  await client.connect(new TransportV1(new URL(rig.mcp), { requestInit: await bearer(words) }));
  const refused = await client.callTool(remove('XYZ789'));
  const { approval, approvalUrl } = refused._meta?.['portcullis/refusal'] as Record<string, string>;
  await person(rig, 'rita').decide(approvalUrl!);
  const done = await client.callTool({ ...remove('XYZ789'), _meta: { 'portcullis/approval': approval } });
  expect(done.structuredContent).toEqual({ customer_id: 'XYZ789', deleted: true });
  await client.close();
});

describe('the state that a client carries', () => {
  const capable = { ...META, 'io.modelcontextprotocol/clientCapabilities': URLS };
  const sent = (args: unknown, more: Record<string, unknown> = {}) => {
    const message = call('delete_customer', args);
    return { ...message, body: { ...message.body, params: { ...message.body.params, _meta: capable, ...more } } };
  };
  const begun = async () => {
    const words = newAgent();
    const { result } = (await rig.post(sent(DELETE), words)).json;
    expect(result).toMatchObject({ resultType: 'input_required', requestState: expect.any(String) });
    await person(rig, 'rita').decide(result.inputRequests.approval.params.url);
    return { words, requestState: result.requestState as string };
  };
  const inputResponses = { approval: { action: 'accept' } };

  test.each([
    ['changed', (state: string) => `${state.slice(0, -4)}AAAA`, true],
    ['cut', (state: string) => state.slice(0, 20), true],
    ['no text', () => 1, true],
    [
      'made up',
      () => `v1.${Buffer.from('{"p":{"approval":"apr_x"},"exp":9999999999}').toString('base64url')}.AAAA`,
      true,
    ],
  ])('%s: refused, and counts against the agent', async (_, change, denial) => {
    const { words, requestState } = await begun();
    const answered = await rig.post(sent(DELETE, { requestState: change(requestState), inputResponses }), words);
    expect(refusalIn(answered)).toEqual({ code: 'approval_needed', correlationId: expect.any(String) });
    expect(rig.events.lastCall()).toMatchObject({ outcome: 'approval_needed', denial });
  });

  test.each([
    ['other arguments', { customer_id: '12345' }, {}],
    ['another agent', DELETE, { client: 'somebody-else' }],
    ['another person', DELETE, { claims: { sub: 'uma' } }],
    ['another tenant', DELETE, { tenant: 'acme' }],
  ])('is not good for %s', async (_, args, more: TokenWords) => {
    const { words, requestState } = await begun();
    const changed = { ...words, ...more, claims: { ...words.claims, ...more.claims } };
    const answered = await rig.post(sent(args, { requestState, inputResponses }), changed);
    expect(saysIn(answered)).toContain('no such approval');
    expect(rig.events.lastCall()).toMatchObject({ outcome: 'approval_needed', denial: true });
  });

  test('says nothing that the client does not know, and is good once', async () => {
    const { words, requestState } = await begun();
    const [, payload = ''] = requestState.split('.');
    const { p } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { p: unknown };
    expect(p).toEqual({ approval: expect.stringMatching(/^apr_/) });
    const args = { requestState, inputResponses: { approval: { action: 'accept', content: { approved: true } } } };
    expect((await rig.post(sent(DELETE, args), words)).json.result.resultType).toBe('complete');
    expect(saysIn(await rig.post(sent(DELETE, args), words))).toContain('used already');
  });
});

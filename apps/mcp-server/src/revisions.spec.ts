import { legacy, META, MODERN, modern, startRig, type Rig } from './rig.fixture.js';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());

const OLDER = ['2025-11-25', '2025-06-18', '2025-03-26'];
const ALL = [MODERN, ...OLDER];
/** Another agent for each request, as all of them together are more than one may send in a minute. */
let clients = 0;
const fresh = () => ({ client: `agent-${(clients += 1)}` });
const said = (revision: string, method: string, params: Record<string, unknown> = {}) =>
  revision === MODERN ? modern(method, params) : legacy(method, params, revision);
const LOOKUP = { name: 'get_customer_info', arguments: { customer_id: '12345' } };

describe.each(ALL)('revision %s', (revision) => {
  it('lists tools and calls them', async () => {
    const listed = await rig.post(said(revision, 'tools/list'), fresh());
    expect(listed.json.result.tools.map(({ name }: { name: string }) => name)).toContain('get_customer_info');
    const called = await rig.post(said(revision, 'tools/call', LOOKUP), fresh());
    expect([called.status, called.json.result.structuredContent.customer_id]).toEqual([200, '12345']);
    expect(JSON.parse(called.json.result.content[0].text)).toEqual(called.json.result.structuredContent);
  });

  it.each([
    ['one request', [said(revision, 'tools/list').body]],
    ['two requests', [said(revision, 'tools/list').body, said(revision, 'tools/call', LOOKUP).body]],
    ['notifications', [{ jsonrpc: '2.0', method: 'notifications/cancelled' }]],
    ['nothing', []],
  ])('takes no array of %s, and leaves one event', async (_what, body) => {
    const before = rig.events.calls().length;
    const { status, json } = await rig.post({ headers: said(revision, 'tools/list').headers, body }, fresh());
    expect([status, json.id, json.error.code, json.error.data.code]).toEqual([400, null, 40001, 'batch_unsupported']);
    expect(rig.events.calls()).toHaveLength(before + 1);
    expect(rig.events.lastCall().outcome).toBe('batch_unsupported');
  });

  it.each(['GET', 'DELETE', 'PUT', 'PATCH'])(
    'answers %s with 405, whatever stream or session it names',
    async (method) => {
      const { status, headers, json } = await rig.raw({
        method,
        headers: {
          authorization: `Bearer ${await rig.token(fresh())}`,
          accept: 'text/event-stream',
          'mcp-protocol-version': revision,
          'mcp-session-id': 's',
          'last-event-id': '1',
        },
      });
      expect([status, headers.get('allow'), json.error.data.code]).toEqual([405, 'POST', 'http_method_unsupported']);
    },
  );

  it('gives no session id, and looks at none', async () => {
    const named = { 'mcp-session-id': 'somebody-elses', 'last-event-id': '7' };
    const { status, headers } = await rig.post(said(revision, 'tools/list'), fresh(), named);
    expect([status, headers.has('mcp-session-id')]).toEqual([200, false]);
  });

  it('answers a notification with 202 and no body, and does nothing', async () => {
    const headers = { 'mcp-protocol-version': revision, 'mcp-method': 'notifications/cancelled' };
    const body = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } };
    const { status, text } = await rig.post({ headers, body }, fresh());
    expect([status, text]).toEqual([202, '']);
  });

  it('knows the methods of its own revision only', async () => {
    const gone = ['initialize', 'ping', 'logging/setLevel', 'resources/subscribe', 'resources/unsubscribe'];
    const never = ['prompts/list', 'prompts/get', 'completion/complete', 'sampling/createMessage', 'no/such'];
    const unknown =
      revision === MODERN
        ? [...gone, ...never]
        : [...gone.slice(2), ...never, 'server/discover', 'subscriptions/listen'];
    for (const method of unknown) {
      const { status, json } = await rig.post(said(revision, method), fresh());
      expect([method, status, json.error.code]).toEqual([method, revision === MODERN ? 404 : 200, -32601]);
    }
  });
});

describe('the handshake of older revisions', () => {
  const initialize = (protocolVersion: unknown) => {
    const clientInfo = { name: 'c', version: '1' };
    const params = { protocolVersion, capabilities: {}, clientInfo };
    return { headers: {}, body: { jsonrpc: '2.0', id: 1, method: 'initialize', params } };
  };

  it.each([...OLDER.map((revision) => [revision, revision]), ['2024-11-05', '2025-11-25'], [MODERN, '2025-11-25']])(
    'to one that asks for %s offers %s',
    async (asked, offered) => {
      const { status, json } = await rig.post(initialize(asked), fresh());
      expect([status, json.result.protocolVersion]).toEqual([200, offered]);
    },
  );

  it('is not needed: every request stands for itself', async () => {
    expect((await rig.post(legacy('tools/list'), fresh())).status).toBe(200);
  });

  it('a request that names no revision speaks 2025-03-26', async () => {
    const { body } = legacy('ping');
    expect((await rig.post({ headers: {}, body }, fresh())).json.result).toEqual({});
  });

  it.each(['2024-11-05', '2099-01-01', 'latest'])(
    'a header of %s is 400, and names what is spoken',
    async (version) => {
      const { status, json } = await rig.post(legacy('tools/list', {}, version), fresh());
      expect([status, json.error.code]).toEqual([400, -32022]);
      expect(json.error.data).toMatchObject({ supported: ALL, requested: version });
    },
  );
});

describe('the headers of 2026-07-28', () => {
  const send = (change: Record<string, string | undefined>, message = modern('tools/call', LOOKUP)) => {
    const headers = Object.entries({ ...message.headers, ...change }).filter(([, value]) => value !== undefined);
    return rig.post({ headers: Object.fromEntries(headers) as Record<string, string>, body: message.body }, fresh());
  };

  it.each<[string, Record<string, string | undefined>]>([
    ['no MCP-Protocol-Version', { 'mcp-protocol-version': undefined }],
    ['an older MCP-Protocol-Version', { 'mcp-protocol-version': '2025-11-25' }],
    ['an unknown MCP-Protocol-Version over a body that is known', { 'mcp-protocol-version': 'v999.0.0' }],
    ['no Mcp-Method', { 'mcp-method': undefined }],
    ['another Mcp-Method', { 'mcp-method': 'tools/list' }],
    ['an Mcp-Method in other case', { 'mcp-method': 'TOOLS/CALL' }],
    ['no Mcp-Name', { 'mcp-name': undefined }],
    ['the Mcp-Name of another tool', { 'mcp-name': 'delete_customer' }],
    ['an Mcp-Name in other case', { 'mcp-name': 'GET_CUSTOMER_INFO' }],
    ['an Mcp-Name that is no Base64', { 'mcp-name': '=?base64?Z2V0?X?=' }],
  ])('%s is 400 with -32020, and nothing is called', async (_what, change) => {
    const { status, json } = await send(change);
    expect([status, json.id, json.error.code, json.error.data.code]).toEqual([400, 1, -32020, 'header_mismatch']);
    expect(rig.events.lastCall()).toMatchObject({ outcome: 'header_mismatch', http: 400 });
  });

  it.each<Record<string, string>>([{ 'mcp-method': 'tools/list' }, { 'mcp-name': 'delete_customer' }])(
    'of an older revision need not be there, and %j that is not so is refused all the same',
    async (change) => {
      const { headers, body } = legacy('tools/call', LOOKUP);
      const { status, json } = await rig.post({ headers: { ...headers, ...change }, body }, fresh());
      expect([status, json.error.code, json.error.data.code]).toEqual([400, -32020, 'header_mismatch']);
    },
  );

  it('are read whatever the case of their names, and as Base64', async () => {
    const { 'mcp-name': _, ...rest } = modern('tools/call', LOOKUP).headers as Record<string, string>;
    const name = `=?base64?${Buffer.from(LOOKUP.name).toString('base64')}?=`;
    const headers = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key.toUpperCase(), value]));
    const { body } = modern('tools/call', LOOKUP);
    expect((await rig.post({ headers: { ...headers, 'MCP-NAME': name }, body }, fresh())).status).toBe(200);
  });

  it('a revision that is not spoken is 400 with -32022, and names those that are and the one that was asked for', async () => {
    const { headers, body } = modern('tools/list');
    const _meta = { ...META, 'io.modelcontextprotocol/protocolVersion': 'v999.0.0' };
    const { status, json } = await rig.post(
      { headers: { ...headers, 'mcp-protocol-version': 'v999.0.0' }, body: { ...body, params: { _meta } } },
      fresh(),
    );
    expect([status, json.id, json.error.code]).toEqual([400, 1, -32022]);
    expect(json.error.data).toMatchObject({ supported: ALL, requested: 'v999.0.0' });
  });

  it.each(['protocolVersion', 'clientCapabilities'])('a request whose _meta has no %s is 400', async (field) => {
    const { headers, body } = modern('tools/list');
    const { [`io.modelcontextprotocol/${field}`]: _, ..._meta } = META as Record<string, unknown>;
    const { status, json } = await rig.post({ headers, body: { ...body, params: { _meta } } }, fresh());
    expect([status, json.id, json.error.code]).toEqual([400, 1, -32602]);
  });
});

describe('what 2026-07-28 says of results', () => {
  const SERVER = { 'io.modelcontextprotocol/serverInfo': { name: 'portcullis', version: expect.any(String) } };

  it.each<[string, Record<string, unknown>, number]>([
    ['server/discover', {}, 60_000],
    ['tools/list', {}, 60_000],
    ['resources/list', {}, 60_000],
    ['resources/templates/list', {}, 60_000],
    ['resources/read', { uri: 'customer://12345' }, 0],
  ])('%s says how long it may be kept, and for the caller alone', async (method, params, ttlMs) => {
    const { json } = await rig.post(modern(method, params), fresh());
    expect(json.result).toMatchObject({ resultType: 'complete', ttlMs, cacheScope: 'private', _meta: SERVER });
  });

  it('a discovery names every revision that is spoken, and what there is', async () => {
    const { json } = await rig.post(modern('server/discover'), fresh());
    expect(json.result).toMatchObject({
      supportedVersions: ALL,
      capabilities: { tools: { listChanged: false }, resources: { listChanged: false } },
      instructions: expect.any(String),
    });
    expect(json.result.capabilities).not.toHaveProperty('prompts');
  });

  it('a resource that there is none of is -32602, and its URI is said', async () => {
    for (const uri of ['customer://', 'file:///etc/passwd']) {
      const { json } = await rig.post(modern('resources/read', { uri }), fresh());
      expect([json.error.code, json.error.data.uri]).toEqual([-32602, uri]);
    }
  });

  it('a tool that there is none of is -32602, and wrong arguments are a result that says so', async () => {
    const unknown = await rig.post(modern('tools/call', { name: 'no_such_tool' }), fresh());
    expect(unknown.json.error.code).toBe(-32602);
    const wrong = await rig.post(modern('tools/call', { name: LOOKUP.name, arguments: { customer_id: 1 } }), fresh());
    expect([wrong.status, wrong.json.result.isError, wrong.json.result.resultType]).toEqual([200, true, 'complete']);
  });

  it('the same lists come in the same order, whoever asks and how often', async () => {
    const names = async () => {
      const { json } = await rig.post(modern('tools/list'), { ...fresh(), ceiling: 'customer:read ticket:read' });
      return json.result.tools.map(({ name }: { name: string }) => name);
    };
    expect(await names()).toEqual(await names());
  });
});

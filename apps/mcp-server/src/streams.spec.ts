import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { toolResult } from '@portcullis/guard/mcp/tool-result';
import { memoryChanges } from '@portcullis/guard/mcp/changes.memory';
import { defineTool, toolRegistry, type AnyTool } from '@portcullis/guard/tool';
import type { Exchange } from '@portcullis/guard/exchange';
import { once } from 'node:events';
import * as z from 'zod';
import { legacy, META, modern, startRig, type Rig, type TokenWords } from './rig.fixture.js';

/** Where tools wait until a test lets them go on. */
let gate: { readonly open: Promise<void>; go(): void };
const newGate = () => {
  let go = (): void => {};
  const open = new Promise<void>((resolve) => (go = resolve));
  return { open, go: () => go() };
};
const stopped: string[] = [];

const tool = (name: string, work: (exchange: Exchange, signal: AbortSignal) => Promise<z.input<typeof toolResult>>) =>
  defineTool({
    name,
    description: name,
    scopes: ['customer:read'],
    effects: ['none'],
    limit: { perMinute: 60, llmTokens: 500 },
    input: z.object({}),
    output: toolResult,
    answers: 'result',
    execute: async (_input, _deps, { exchange, signal }) => work(exchange, signal),
  }) as AnyTool;
const done = { content: [{ type: 'text' as const, text: 'done' }] };

const QUESTION = {
  method: 'elicitation/create',
  params: {
    mode: 'form',
    message: 'What is your name?',
    requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
  },
};

const TOOLS = toolRegistry([
  tool('reports', async (exchange) => {
    exchange.progress(1, 2);
    await gate.open;
    exchange.progress(2, 2);
    return done;
  }),
  tool('breaks', async (exchange) => {
    exchange.progress(1);
    throw new Error('db password=hunter2');
  }),
  tool('waits', async (exchange, signal) => {
    exchange.progress(1);
    signal.addEventListener('abort', () => stopped.push('waits'));
    await once(signal, 'abort');
    return done;
  }),
  tool('asks', async ({ inputResponses, requestState }) =>
    inputResponses === undefined
      ? { resultType: 'input_required', inputRequests: { name: QUESTION }, requestState: 's' }
      : { content: [{ type: 'text', text: `${JSON.stringify(inputResponses)} ${requestState}` }] },
  ),
  tool('samples', async (exchange) => {
    exchange.needs('sampling');
    return done;
  }),
  tool('fails', async () => ({ ...done, isError: true })),
]);
const changes = memoryChanges('toolsListChanged', 'promptsListChanged');

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({}, { tools: TOOLS, more: { changes } });
});
beforeEach(() => (gate = newGate()));
afterAll(() => rig.close());

const called = (name: string, meta: object = { progressToken: 'p' }) => {
  const { headers, body } = modern('tools/call', { name, arguments: {} });
  return { headers, body: { ...body, params: { ...body.params, _meta: { ...META, ...meta } } } };
};
const listen = (notifications: unknown = { toolsListChanged: true }) =>
  modern('subscriptions/listen', { notifications }, 's');

/** An event stream as a client reads it: message by message, until it ends or breaks. */
async function stream(message: { headers: Record<string, string>; body: unknown }, words: TokenWords = {}, more = {}) {
  const response = await fetch(rig.mcp, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${await rig.token(words)}`,
      ...message.headers,
      ...more,
    },
    body: JSON.stringify(message.body),
  });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  // tests look wherever they like
  const next = async (): Promise<any> => {
    for (;;) {
      const end = text.indexOf('\n\n');
      if (end >= 0) {
        const event = text.slice(0, end);
        text = text.slice(end + 2);
        const data = /^data: (.*)$/m.exec(event)?.[1];
        if (data !== undefined) return JSON.parse(data);
        continue;
      }
      const { done: over, value } = await reader.read().catch(() => ({ done: true, value: undefined }));
      if (over) return undefined;
      text += value;
    }
  };
  return { response, next, leave: () => reader.cancel() };
}
const callsOf = (method: string) => rig.events.calls().filter((call) => call.method === method).length;

describe('a tool that reports', () => {
  it('is heard while it works, and its result comes last, on one event stream', async () => {
    const { response, next } = await stream(called('reports'));
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream',
      'x-accel-buffering': 'no',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-correlation-id': expect.any(String),
    });
    expect(await next()).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/progress',
      params: { progressToken: 'p', progress: 1, total: 2 },
    });
    const before = rig.events.calls().length;
    gate.go();
    expect((await next()).params.progress).toBe(2);
    expect(await next()).toMatchObject({ id: 1, result: { content: [{ text: 'done' }], resultType: 'complete' } });
    expect(await next()).toBeUndefined();
    expect(rig.events.calls()).toHaveLength(before + 1);
    expect(rig.events.lastCall()).toMatchObject({ tool: 'reports', outcome: 'allowed', http: 200 });
  });

  it('is answered in JSON when nobody asked to be told', async () => {
    gate.go();
    const { headers, json } = await rig.post(called('reports', {}));
    expect([headers.get('content-type'), json.result.content[0].text]).toEqual(['application/json', 'done']);
  });

  it('is answered in JSON for a client that reads no event stream', async () => {
    gate.go();
    const { headers, json } = await rig.post(called('reports'), {}, { accept: 'application/json' });
    expect([headers.get('content-type'), json.result.content[0].text]).toEqual(['application/json', 'done']);
  });

  it('is heard by clients of older revisions too', async () => {
    gate.go();
    const { next } = await stream(legacy('tools/call', { name: 'reports', _meta: { progressToken: 7 } }));
    expect((await next()).params).toEqual({ progressToken: 7, progress: 1, total: 2 });
    expect((await next()).params.progress).toBe(2);
    expect((await next()).result).toEqual(done);
  });

  it('and then fails says that it failed, and nothing of why', async () => {
    const { next } = await stream(called('breaks'));
    await next();
    const last = await next();
    expect(last.result).toMatchObject({ isError: true, _meta: { 'portcullis/refusal': { code: 'tool_failed' } } });
    expect(JSON.stringify(last)).not.toContain('hunter2');
    expect(rig.events.lastCall()).toMatchObject({ outcome: 'tool_failed', http: 200 });
  });

  it('answers nothing when its event cannot be kept', async () => {
    const { next } = await stream(called('reports'));
    await next();
    rig.events.setFull(true);
    gate.go();
    await next();
    expect(await next()).toMatchObject({ error: { data: { code: 'overloaded' } } });
    rig.events.setFull(false);
  });

  it('whose client goes away meanwhile is stopped', async () => {
    const { next, leave } = await stream(called('waits'), { client: 'gone' });
    await next();
    await leave();
    await recorded('waits', 'cancelled');
    expect(stopped).toContain('waits');
    stopped.length = 0;
  });

  it('is stopped and on record when the client is contained meanwhile', async () => {
    const { next } = await stream(called('waits'), { client: 'contained' });
    await next();
    await rig.say('Isolated', 'contained');
    expect(await next()).toBeUndefined();
    await recorded('waits', 'quarantined');
    expect(stopped).toContain('waits');
  });
});

const recorded = async (tool: string, outcome: string) => {
  while (!rig.events.calls().some((call) => call.tool === tool && call.outcome === outcome)) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

describe('a tool that makes its whole result', () => {
  it('asks for input, and gets the answers and its own state back', async () => {
    const able = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: {} } };
    const asked = await rig.post(called('asks', able));
    expect(asked.json.result).toMatchObject({
      resultType: 'input_required',
      inputRequests: { name: QUESTION },
      requestState: 's',
      _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'portcullis' } },
    });
    const again = called('asks', able);
    Object.assign(again.body.params, { inputResponses: { name: 1 }, requestState: 's' });
    expect((await rig.post(again)).json.result).toMatchObject({
      resultType: 'complete',
      content: [{ text: '{"name":1} s' }],
    });
  });

  it('does not ask a client for what it did not say it can do', async () => {
    const { status, json } = await rig.post(called('asks'));
    expect([status, json.error.code]).toEqual([400, -32021]);
    expect(json.error.data.requiredCapabilities).toEqual({ elicitation: {} });
  });

  it('that asks for input cannot be called in revisions that have no way to', async () => {
    const { status, json } = await rig.post(legacy('tools/call', { name: 'asks' }));
    expect([status, json.error.code, json.error.data.code]).toEqual([200, -32021, 'capability_missing']);
  });

  it('and needs what the client did not say it can do is 400 with -32021, naming it', async () => {
    const { status, json } = await rig.post(called('samples'));
    expect([status, json.error.code]).toEqual([400, -32021]);
    expect(json.error.data).toMatchObject({ code: 'capability_missing', requiredCapabilities: { sampling: {} } });
    expect(rig.events.lastCall()).toMatchObject({ outcome: 'capability_missing', http: 400 });
    const able = { 'io.modelcontextprotocol/clientCapabilities': { sampling: {} } };
    expect((await rig.post(called('samples', able))).json.result.content).toEqual(done.content);
  });

  it('may say that it failed', async () => {
    expect((await rig.post(called('fails'))).json.result).toMatchObject({ isError: true, content: done.content });
  });

  it('is listed without a schema of what it answers', async () => {
    const { json } = await rig.post(modern('tools/list'));
    for (const listed of json.result.tools) expect(listed).not.toHaveProperty('outputSchema');
  });
});

describe('a subscription', () => {
  it('is acknowledged first, with what will be told of what was asked for, under its id', async () => {
    const asked = { toolsListChanged: true, promptsListChanged: false, resourcesListChanged: true };
    const { response, next, leave } = await stream(listen(asked));
    expect([response.status, response.headers.get('x-accel-buffering')]).toEqual([200, 'no']);
    expect(await next()).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/subscriptions/acknowledged',
      params: {
        notifications: { toolsListChanged: true },
        _meta: { 'io.modelcontextprotocol/subscriptionId': 's' },
      },
    });
    await leave();
  });

  it('tells what was asked for, and nothing else', async () => {
    const { next, leave } = await stream(listen({ promptsListChanged: true }));
    await next();
    changes.tell('toolsListChanged');
    changes.tell('promptsListChanged');
    expect(await next()).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/prompts/list_changed',
      params: { _meta: { 'io.modelcontextprotocol/subscriptionId': 's' } },
    });
    await leave();
  });

  it('leaves one event, when it opens', async () => {
    const before = callsOf('subscriptions/listen');
    const { next, leave } = await stream(listen());
    await next();
    expect(callsOf('subscriptions/listen')).toBe(before + 1);
    expect(rig.events.lastCall()).toMatchObject({ method: 'subscriptions/listen', outcome: 'allowed', http: 200 });
    await leave();
    await rig.post(modern('tools/list'));
    expect(callsOf('subscriptions/listen')).toBe(before + 1);
  });

  it.each<[string, unknown]>([
    ['no filter', null],
    ['a filter that is a list', []],
    ['a wish that is no boolean', { toolsListChanged: 'yes' }],
    ['URIs that are none', { resourceSubscriptions: [1] }],
  ])('of %s is refused', async (_what, notifications) => {
    const { status, json } = await rig.post(listen(notifications));
    expect([status, json.error.code, json.id]).toEqual([400, -32602, 's']);
  });

  it('is refused to a client that reads no event stream', async () => {
    const { status, json } = await rig.post(listen(), {}, { accept: 'application/json' });
    expect([status, json.error.data.code]).toEqual([400, 'request_invalid']);
  });

  it('is unknown in older revisions', async () => {
    const { json } = await rig.post(legacy('subscriptions/listen', { notifications: {} }));
    expect(json.error.code).toBe(-32601);
  });

  it('is the fifth of its principal: 429, and told which limit', async () => {
    const words = { client: 'subscriber' };
    const open = await Promise.all(Array.from({ length: 4 }, () => stream(listen(), words)));
    const { status, json } = await rig.post(listen(), words);
    expect([status, json.error.data]).toEqual([429, expect.objectContaining({ limitType: 'concurrency' })]);
    await Promise.all(open.map(({ leave }) => leave()));
  });

  it('that cannot be recorded is not opened, and holds no place', async () => {
    const words = { client: 'unrecorded' };
    rig.events.setFull(true);
    for (let n = 0; n < 5; n++) expect((await rig.post(listen(), words)).status).toBe(503);
    rig.events.setFull(false);
    const { next, leave } = await stream(listen(), words);
    expect((await next()).method).toBe('notifications/subscriptions/acknowledged');
    await leave();
  });

  it('ends when its token is revoked', async () => {
    const { next } = await stream(listen(), { client: 'revoked', claims: { jti: 'revoked-token' } });
    await next();
    const at = new Date(rig.now()).toISOString();
    const until = new Date(rig.now() + 900_000).toISOString();
    const body = { tenant: 'default', what: 'token', id: 'revoked-token', at, until };
    await rig.tell('portcullis.revocations', 'default/token/revoked-token', body);
    expect(await next()).toMatchObject({ id: 's', error: { data: { code: 'token_invalid' } } });
    expect(await next()).toBeUndefined();
  });

  it('ends when its agent is contained', async () => {
    const { next } = await stream(listen(), { client: 'isolated' });
    await next();
    await rig.say('Isolated', 'isolated');
    expect(await next()).toMatchObject({ id: 's', error: { data: { code: 'quarantined' } } });
    expect(await next()).toBeUndefined();
  });

  it('ends when its token expires', async () => {
    const short = { exp: Math.floor(rig.now() / 1000) + 600 };
    const { next } = await stream(listen(), { client: 'short', claims: short });
    const { next: longer, leave } = await stream(listen(), { client: 'long', claims: { exp: short.exp + 600 } });
    await next();
    await longer();
    rig.skip(600_000);
    expect(await next()).toMatchObject({ id: 's', error: { data: { code: 'token_invalid' } } });
    expect(await next()).toBeUndefined();
    changes.tell('toolsListChanged');
    expect((await longer()).method).toBe('notifications/tools/list_changed');
    await leave();
  });

  it('ends with a result when the server stops', async () => {
    const other = await startRig({}, { more: {} });
    const response = await fetch(other.mcp, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: `Bearer ${await other.token()}`,
        ...listen().headers,
      },
      body: JSON.stringify(listen().body),
    });
    const text = response.text();
    await other.close();
    const [first, last] = (await text)
      .split('\n\n')
      .map((event) => JSON.parse(/^data: (.*)$/m.exec(event)?.[1] ?? '{}'));
    // the lists of this server never change, so it promises nothing
    expect(first.params.notifications).toEqual({});
    expect(last).toMatchObject({
      id: 's',
      result: { resultType: 'complete', _meta: { 'io.modelcontextprotocol/subscriptionId': 's' } },
    });
  });
});

describe('the SDK v2 client', () => {
  const connected = async (versionNegotiation?: { mode: 'auto' }) => {
    const client = new Client(
      { name: 'test', version: '1' },
      { capabilities: { elicitation: {} }, ...(versionNegotiation && { versionNegotiation }) },
    );
    client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { name: 'Ada' } }));
    const headers = { authorization: `Bearer ${await rig.token({ client: 'sdk' })}` };
    await client.connect(new StreamableHTTPClientTransport(new URL(rig.mcp), { requestInit: { headers } }));
    return client;
  };

  it.each([
    ['of today', { mode: 'auto' as const }],
    ['of older revisions', undefined],
  ])('%s hears how far a call is', async (_which, negotiation) => {
    gate.go();
    const client = await connected(negotiation);
    const heard: number[] = [];
    await client.callTool({ name: 'reports' }, { onprogress: ({ progress }) => heard.push(progress) });
    expect(heard).toEqual([1, 2]);
    await client.close();
  });

  it('answers what it is asked and calls again by itself, and listens for changes', async () => {
    const client = await connected({ mode: 'auto' });
    const { content } = await client.callTool({ name: 'asks' });
    expect(JSON.stringify(content)).toContain('Ada');
    const subscription = await client.listen({ toolsListChanged: true, resourcesListChanged: true });
    expect(subscription.honoredFilter).toEqual({ toolsListChanged: true });
    await subscription.close();
    await client.close();
  });
});

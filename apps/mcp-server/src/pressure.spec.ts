import { silentLog } from '@portcullis/contract/log';
import { Refusal } from '@portcullis/contract/refusals';
import { defineTool, toolRegistry, type ToolContext } from '@portcullis/guard/tool';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import * as z from 'zod';
import { call, modern, startRig, type Rig, type TokenWords } from './rig.fixture.js';

/** Tools whose end the test decides. */
function held() {
  const running = new Map<number, { end(): void; fail(error: unknown): void; readonly signal: AbortSignal }>();
  const executed: number[] = [];
  const tool = (name: string, more: object = {}) =>
    defineTool({
      name,
      description: 'waits',
      scopes: ['customer:read'],
      effects: ['none'],
      limit: { perMinute: 60, llmTokens: 500 },
      input: z.strictObject({
        n: z.int(),
        size: z.int().optional(),
        priority: z.string().optional(),
        note: z.string().optional(),
      }),
      output: z.strictObject({ n: z.int(), filling: z.string().optional() }),
      execute: async (
        { n, size }: { n: number; size?: number | undefined },
        _deps: unknown,
        { signal }: ToolContext,
      ) => {
        executed.push(n);
        if (name.startsWith('wait') || name.startsWith('late'))
          await new Promise<void>((end, fail) => running.set(n, { end, fail, signal }));
        if (name === 'heed')
          await new Promise((_end, fail) => signal.addEventListener('abort', () => fail(signal.reason)));
        if (name === 'throw') throw new Error(`select * from secrets where password = 'hunter2'`);
        if (name === 'refuse') throw new Refusal('row_forbidden');
        return { n, ...(size !== undefined && { filling: 'x'.repeat(size) }) };
      },
      ...more,
    });
  const tools = toolRegistry([
    tool('answer'),
    tool('wait'),
    tool('late', { deadlineMs: 50 }),
    tool('late_write', { deadlineMs: 50, effects: ['writes'] }),
    tool('wait_write', { effects: ['writes'] }),
    tool('heed', { deadlineMs: 50 }),
    tool('throw'),
    tool('refuse'),
    tool('write', { effects: ['writes'], safe: ['priority', 'n'] }),
  ]);
  return {
    tools,
    executed,
    running,
    begun: async (count: number): Promise<void> => {
      while (running.size < count) await turn();
    },
    endAll: (): void => {
      for (const { end } of running.values()) end();
      running.clear();
    },
  };
}
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
const refusalOf = (answer: { json: any }) =>
  answer.json.error?.data ?? answer.json.result?._meta?.['portcullis/refusal'];

let tools: ReturnType<typeof held>;
let rig: Rig;
let warned: [message: string, facts: object | undefined][];
const start = async (env: Record<string, string> = {}): Promise<void> => {
  tools = held();
  warned = [];
  const log = { ...silentLog, warn: (message: string, facts?: object) => void warned.push([message, facts]) };
  rig = await startRig(env, { tools: tools.tools, log });
};
afterEach(async () => {
  tools.endAll();
  await rig.close();
});
const agent = (client: string): TokenWords => ({ client });

describe('more than is taken on at a time', () => {
  it('of one agent is 429 with Retry-After, while others are served, and passes when a call is done', async () => {
    await start({ MAX_CALLS_PER_AGENT: '2' });
    const waiting = [1, 2].map((n) => rig.post(call('wait', { n }), agent('a')));
    await tools.begun(2);
    const refused = await rig.post(call('answer', { n: 3 }), agent('a'));
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(refusalOf(refused)).toMatchObject({ code: 'rate_limited', limitType: 'concurrency', remaining: 0 });
    expect(rig.events.lastCall()).toMatchObject({ outcome: 'rate_limited', denial: false });
    expect((await rig.post(call('answer', { n: 4 }), agent('b'))).status).toBe(200);
    tools.endAll();
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await rig.post(call('answer', { n: 5 }), agent('a'))).status).toBe(200);
  });

  it('in all is 503 with Retry-After, for whomever, before the body is read', async () => {
    await start({ MAX_CALLS: '2' });
    const waiting = ['default', 'acme'].map((tenant, n) => rig.post(call('wait', { n }), { ...agent('a'), tenant }));
    await tools.begun(2);
    const { status, text } = await unfinishedPost(rig, agent('b'));
    expect(status).toBe(503);
    expect(text).toContain('overloaded');
    expect(rig.events.lastCall()).toMatchObject({ outcome: 'overloaded', http: 503 });
    tools.endAll();
    await Promise.all(waiting);
    expect((await rig.post(call('answer', { n: 3 }), agent('b'))).status).toBe(200);
  });

  it('of bytes is refused before they are read, one agent at a quarter of them', async () => {
    await start({ MAX_HELD_BYTES: String(1024 * 1024) });
    const large = call('wait', { n: 1, note: 'x'.repeat(150 * 1024) });
    const first = rig.post(large, agent('a'));
    await tools.begun(1);
    const second = await rig.post(large, agent('a'));
    expect([second.status, refusalOf(second).limitType]).toEqual([429, 'concurrency']);
    const others = ['b', 'c', 'd', 'e', 'f'].map((client, n) =>
      rig.post(call('wait', { n: n + 2, note: 'x'.repeat(150 * 1024) }), {
        ...agent(client),
        ...(n > 1 && { tenant: 'acme' }),
      }),
    );
    await tools.begun(6);
    const last = await rig.post(large, agent('g'));
    expect([last.status, refusalOf(last).code]).toEqual([503, 'overloaded']);
    tools.endAll();
    await Promise.all([first, ...others]);
    expect((await rig.post(call('answer', { n: 9, note: 'x'.repeat(150 * 1024) }), agent('g'))).status).toBe(200);
  });
});

describe('a body', () => {
  it.each([
    ['larger than MAX_BODY_BYTES', () => 'x'.repeat(5000), 413, 'body_too_large'],
    ['with a long key', () => JSON.stringify({ ['k'.repeat(300)]: 1 }), 400, 'json_malformed'],
    ['that is too deep', () => '['.repeat(40) + ']'.repeat(40), 400, 'json_malformed'],
  ])('%s is refused', async (_what, bodyOf, status, code) => {
    await start({ MAX_BODY_BYTES: '4096' });
    const answer = await rig.raw({
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${await rig.token()}` },
      body: bodyOf(),
    });
    expect([answer.status, refusalOf(answer).code]).toEqual([status, code]);
  });
});

describe('a tool that takes too long', () => {
  it('is given up and told so; its slot is its own until it really ends', async () => {
    await start({ MAX_CALLS_PER_AGENT: '1' });
    const late = await rig.post(call('late', { n: 1 }), agent('a'));
    expect(late.status).toBe(200);
    expect(late.json.result.isError).toBe(true);
    expect(late.json.result.content[0].text).toContain('longer than 0.05 s');
    expect(rig.events.lastCall()).toMatchObject({ outcome: 'tool_failed', reason: 'deadline' });
    expect(tools.running.get(1)?.signal.aborted).toBe(true);
    expect((await rig.post(call('answer', { n: 2 }), agent('a'))).status).toBe(429);
    tools.endAll();
    await turn();
    expect((await rig.post(call('answer', { n: 3 }), agent('a'))).status).toBe(200);
    expect(rig.events.calls().length).toBe(3);
  });

  class DiskFull extends Error {}
  it.each([
    ['well', undefined, { ended: 'well' }],
    ['with an error', new DiskFull('password is hunter2'), { ended: 'threw', threw: 'DiskFull' }],
    ['with a text', 'password is hunter2', { ended: 'threw', threw: 'string' }],
    [
      'with what has no class',
      Object.assign(new Error('x'), { constructor: null }),
      { ended: 'threw', threw: 'object' },
    ],
  ])('and ends %s long after leaves a line in the log, and its room', async (_how, error, facts) => {
    await start({ MAX_CALLS_PER_AGENT: '1' });
    await rig.post(call('late_write', { n: 1 }), agent('a'));
    const { correlationId } = rig.events.lastCall();
    await turn();
    expect(warned).toEqual([]);
    if (error === undefined) tools.running.get(1)!.end();
    else tools.running.get(1)!.fail(error);
    await turn();
    expect(warned).toEqual([['a tool that was given up has ended', { correlationId, tool: 'late_write', ...facts }]]);
    expect((await rig.post(call('answer', { n: 2 }), agent('a'))).status).toBe(200);
    expect(rig.events.calls().map(({ outcome }) => outcome)).toEqual(['attempted', 'tool_failed', 'allowed']);
  });

  it('and heeds its signal is answered the same way', async () => {
    await start();
    const late = await rig.post(call('heed', { n: 1 }));
    expect(refusalOf(late).code).toBe('tool_failed');
    expect(rig.events.calls().map(({ outcome }) => outcome)).toEqual(['tool_failed']);
  });
});

describe('a client that goes away', () => {
  it('cancels its call: the signal, one event, the slot and the reserved tokens', async () => {
    await start({ MAX_CALLS_PER_AGENT: '1' });
    const leaving = new AbortController();
    const gone = fetchCall(rig, call('wait', { n: 1 }), leaving.signal).catch(() => 'gone');
    await tools.begun(1);
    leaving.abort();
    expect(await gone).toBe('gone');
    while (rig.events.calls().length === 0) await turn();
    expect(rig.events.calls()).toMatchObject([
      { outcome: 'cancelled', http: 499, denial: false, reason: 'the client went away' },
    ]);
    expect(tools.running.get(1)?.signal.aborted).toBe(true);
    tools.endAll();
    await turn();
    expect((await rig.post(call('answer', { n: 2 }))).status).toBe(200);
    expect(rig.limiter.stats().leases).toBe(0);
  });

  it('while its body arrives is one request that was refused', async () => {
    await start();
    const socket = await beginPost(rig, agent('a'));
    socket.destroy();
    while (rig.events.calls().length === 0) await turn();
    expect(rig.events.calls()).toMatchObject([{ outcome: 'request_invalid' }]);
    expect((await rig.post(call('answer', { n: 2 }), agent('a'))).status).toBe(200);
  });

  it('or never reads its answer keeps its slot for as long as the answer waits, and no other', async () => {
    await start({ MAX_CALLS: '1' });
    const deaf = await deafPost(rig, call('answer', { n: 1, size: 8 * 1024 * 1024 }));
    while (rig.events.calls().length === 0) await turn();
    expect((await rig.post(call('answer', { n: 2 }), agent('b'))).status).toBe(503);
    deaf.destroy();
    while ((await rig.post(call('answer', { n: 3 }), agent('b'))).status !== 200) await turn();
    expect(tools.executed).toEqual([1, 3]);
  });
});

describe('a call that waits behind another one on its connection', () => {
  const streams = { headers: { accept: 'text/event-stream' } };

  it('gives its slot back when the connection is closed', async () => {
    await start({ MAX_CALLS_PER_AGENT: '2' });
    const socket = await pipelined(rig, call('wait', { n: 1 }), call('answer', { n: 2, size: 20_000 }));
    while (rig.events.calls().length === 0) await turn();
    socket.destroy();
    tools.endAll();
    while (rig.events.calls().length < 2) await turn();
    const others = [rig.post(call('wait', { n: 3 })), rig.post(call('wait', { n: 4 }))];
    while (tools.executed.length < 4) await Promise.race([turn(), ...others.map(expectServed)]);
    tools.endAll();
    await Promise.all(others.map(expectServed));
  });

  it('is cancelled when the connection is closed', async () => {
    await start();
    const socket = await pipelined(rig, call('wait', { n: 1 }), call('wait', { n: 2 }));
    await tools.begun(2);
    const { signal } = tools.running.get(2)!;
    socket.destroy();
    while (rig.events.calls().length < 2) await turn();
    expect(rig.events.calls().map(({ outcome }) => outcome)).toEqual(['cancelled', 'cancelled']);
    expect(signal.aborted).toBe(true);
  });

  it('leaves no stream behind, so that there is room for the next', async () => {
    await start();
    const listening = { ...modern('subscriptions/listen', { notifications: { toolsListChanged: true } }, 's') };
    const many = Array.from({ length: 4 }, () => ({
      ...listening,
      headers: { ...listening.headers, ...streams.headers },
    }));
    const socket = await pipelined(rig, call('wait', { n: 1 }), ...many);
    while (rig.events.calls().length < 4) await turn();
    socket.destroy();
    tools.endAll();
    while (rig.events.calls().length < 5) await turn();
    const leaving = new AbortController();
    const headers = {
      'content-type': 'application/json',
      authorization: `Bearer ${await rig.token()}`,
      ...many[0]!.headers,
    };
    const next = await fetch(rig.mcp, {
      method: 'POST',
      headers,
      body: JSON.stringify(listening.body),
      signal: leaving.signal,
    });
    expect(next.status).toBe(200);
    leaving.abort();
  });
});

describe('a tool with an effect', () => {
  it('is on record before it is executed, and its outcome names that record', async () => {
    await start();
    await rig.post(call('write', { n: 7, priority: 'high', note: 'free text' }));
    const [attempted, outcome, ...more] = rig.events.all.filter(({ type }) => type === 'portcullis.call.v1');
    expect(more).toEqual([]);
    expect(attempted?.data).toMatchObject({
      outcome: 'attempted',
      tool: 'write',
      http: 0,
      arguments: { n: 7, priority: 'high' },
    });
    expect(outcome?.data).toMatchObject({ outcome: 'allowed', attempt: attempted?.id, http: 200 });
    expect(outcome?.data).toMatchObject({
      correlationId: (attempted?.data as { correlationId: string }).correlationId,
    });
    expect(JSON.stringify(rig.events.all)).not.toContain('free text');
  });

  it('is not executed when that cannot be kept', async () => {
    await start();
    rig.events.setFull(true);
    const refused = await rig.post(call('write', { n: 1 }));
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(tools.executed).toEqual([]);
  });

  it('whose client goes away is on record as one whose effect is not known', async () => {
    await start();
    const leaving = new AbortController();
    const gone = fetchCall(rig, call('wait_write', { n: 1 }), leaving.signal).catch(() => 'gone');
    await tools.begun(1);
    leaving.abort();
    expect(await gone).toBe('gone');
    while (rig.events.calls().length < 2) await turn();
    expect(rig.events.lastCall()).toMatchObject({
      outcome: 'cancelled',
      reason: 'the client went away; whether it took effect is not known',
    });
    tools.endAll();
  });

  it('that is given up says that its effect is not known', async () => {
    await start();
    const late = await rig.post(call('late_write', { n: 1 }));
    expect(late.json.result.content[0].text).toContain('whether it took effect is not known');
    expect(rig.events.calls().map(({ outcome }) => outcome)).toEqual(['attempted', 'tool_failed']);
    expect(rig.events.lastCall().reason).toBe('deadline; whether it took effect is not known');
  });
});

it('a tool that throws leaves as a correlation id and nothing else', async () => {
  await start();
  const { status, text, headers, json } = await rig.post(call('throw', { n: 1 }));
  expect(status).toBe(200);
  expect(text).not.toMatch(/hunter2|secrets|select|stack|\.ts\b/);
  const correlationId = headers.get('x-correlation-id');
  expect(json.result._meta['portcullis/refusal']).toEqual({ code: 'tool_failed', correlationId });
  expect(rig.events.lastCall()).toMatchObject({ outcome: 'tool_failed', correlationId });
});

/** A POST whose body is announced and not sent. */
async function beginPost({ mcp, token }: Rig, words: TokenWords) {
  const { port, hostname, pathname } = new URL(mcp);
  const socket = connect(Number(port), hostname);
  const head = [`POST ${pathname} HTTP/1.1`, `Host: ${hostname}:${port}`, 'Content-Type: application/json'];
  socket.write([...head, 'Content-Length: 500', `Authorization: Bearer ${await token(words)}`, '', '{"'].join('\r\n'));
  await new Promise((resolve) => setTimeout(resolve, 100));
  return socket;
}
async function unfinishedPost(of: Rig, words: TokenWords): Promise<{ status: number; text: string }> {
  const socket = await beginPost(of, words);
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  const text = chunk.toString();
  return { status: Number(text.split(' ')[1]), text };
}
/** A call whose answer is never read. */
async function deafPost({ mcp, token }: Rig, message: ReturnType<typeof call>) {
  const request = httpRequest(mcp, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${await token()}`, ...message.headers },
  });
  // without a listener Node would swallow the answer, and so read it
  request.on('response', () => undefined).on('error', () => undefined);
  request.end(JSON.stringify(message.body));
  return request;
}
const expectServed = async (answer: Promise<{ status: number }>): Promise<void> =>
  expect((await answer).status).toBe(200);
/** Calls on one connection, each sent before the one before it is answered (RFC 9112 §9.3.2). */
async function pipelined({ mcp, token }: Rig, ...messages: ReturnType<typeof call>[]) {
  const { port, hostname, pathname } = new URL(mcp);
  const authorization = `Bearer ${await token()}`;
  const socket = connect(Number(port), hostname);
  for (const { headers, body } of messages) {
    const text = JSON.stringify(body);
    const head = { host: `${hostname}:${port}`, 'content-type': 'application/json', authorization, ...headers };
    const lines = Object.entries({ ...head, 'content-length': Buffer.byteLength(text) }).map(
      ([name, value]) => `${name}: ${value}`,
    );
    socket.write([`POST ${pathname} HTTP/1.1`, ...lines, '', text].join('\r\n'));
  }
  return socket;
}
async function fetchCall({ mcp, token }: Rig, message: ReturnType<typeof call>, signal: AbortSignal): Promise<unknown> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${await token()}`, ...message.headers };
  return fetch(mcp, { method: 'POST', headers, body: JSON.stringify(message.body), signal });
}

import type { EndpointParts } from '@portcullis/guard/mcp/endpoint.http';
import { METHODS } from '@portcullis/guard/mcp/protocol';
import { resourceResult } from '@portcullis/guard/mcp/tool-result';
import { defineTool, type AnyTool } from '@portcullis/guard/tool';
import * as z from 'zod';
import { legacy, modern, startRig, type Rig } from './rig.fixture.js';

const NOTE = 'note://today';
const readNote = defineTool({
  name: 'read_note',
  description: 'a note',
  scopes: ['ticket:read'],
  effects: ['none'],
  limit: { perMinute: 60, llmTokens: 500 },
  input: z.object({}),
  output: resourceResult,
  answers: 'result',
  execute: async () => ({ contents: [{ uri: NOTE, mimeType: 'text/plain', text: 'buy milk' }] }),
}) as AnyTool;

const MORE = {
  methods: { ...METHODS, 'prompts/list': ['modern', 'legacy'], 'prompts/get': ['modern'] },
  resources: [
    {
      uriTemplate: NOTE,
      name: 'note',
      title: 'Note',
      description: 'a note',
      mimeType: 'text/plain',
      pattern: /^note:\/\/today$/,
      tool: readNote,
    },
  ],
  extend(server, { caller }) {
    server.registerCapabilities({ prompts: {} });
    server.setRequestHandler('prompts/list', () => ({ prompts: [{ name: `for ${caller.clientId}` }] }));
    server.setRequestHandler('prompts/get', () => ({ messages: [] }));
  },
} satisfies Partial<EndpointParts>;

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({}, { more: MORE });
});
afterAll(() => rig.close());

const words = { client: 'reader', scope: 'customer:read ticket:read' };

it('what a server adds is served in the revisions it names, to the caller, and said in its discovery', async () => {
  const listed = await rig.post(modern('prompts/list'), words);
  expect(listed.json.result).toMatchObject({ prompts: [{ name: 'for reader' }], cacheScope: 'private' });
  expect((await rig.post(legacy('prompts/list'), words)).json.result.prompts).toEqual([{ name: 'for reader' }]);
  expect((await rig.post(modern('prompts/get', { name: 'x' }), words)).json.result.messages).toEqual([]);
  expect((await rig.post(legacy('prompts/get', { name: 'x' }), words)).json.error.code).toBe(-32601);
  expect((await rig.post(modern('server/discover'), words)).json.result.capabilities).toHaveProperty('prompts');
});

it('the name in the header of a prompt has to be that of its body', async () => {
  const { headers, body } = modern('prompts/get', { name: 'x' });
  const { json } = await rig.post({ headers: { ...headers, 'mcp-name': 'y' }, body }, words);
  expect(json.error.code).toBe(-32020);
});

it('what is added passes the first door, and leaves one event', async () => {
  const { headers, body } = modern('prompts/list');
  const { status } = await rig.raw({
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  expect([status, rig.events.lastCall().outcome]).toEqual([401, 'token_missing']);
});

describe('a resource that is one', () => {
  it('is listed as itself and not as a template, to whom could be granted it', async () => {
    const list = async (scope: string) => {
      const { json } = await rig.post(modern('resources/list'), { client: 'lister', scope });
      return json.result.resources;
    };
    expect(await list('ticket:read')).toEqual([expect.objectContaining({ uri: NOTE, name: 'note' })]);
    expect(await list('customer:read')).toEqual([]);
    const templates = await rig.post(modern('resources/templates/list'), words);
    expect(templates.json.result.resourceTemplates).toEqual([]);
  });

  it('is read through both doors, as its tool makes it', async () => {
    const read = await rig.post(modern('resources/read', { uri: NOTE }), words);
    expect(read.json.result).toMatchObject({
      contents: [{ uri: NOTE, mimeType: 'text/plain', text: 'buy milk' }],
      cacheScope: 'private',
    });
    expect(rig.events.lastCall()).toMatchObject({ tool: 'read_note', outcome: 'allowed' });
    const refused = await rig.post(modern('resources/read', { uri: NOTE }), {
      client: 'other',
      scope: 'customer:read',
    });
    expect([refused.status, refused.json.error.data.scopes]).toEqual([403, ['ticket:read']]);
  });
});

import { resourceResult } from '@portcullis/guard/mcp/tool-result';
import { defineTool } from '@portcullis/guard/tool';
import * as z from 'zod';
import { PNG } from './content.mjs';
import { SCOPE } from './tools.mjs';

const behind = (name, contents, input = z.object({})) =>
  defineTool({
    name,
    description: `Fixture of the conformance suite: ${name}`,
    scopes: [SCOPE],
    effects: ['none'],
    limit: { perMinute: 60, llmTokens: 500 },
    input,
    output: resourceResult,
    answers: 'result',
    execute: async (args) => ({ contents: [contents(args)] }),
  });

const one = (uri, name, mimeType, body) => ({
  uriTemplate: uri,
  name,
  title: name,
  description: `Fixture of the conformance suite: ${name}`,
  mimeType,
  pattern: new RegExp(`^${RegExp.escape(uri)}$`),
  tool: behind(name, () => ({ uri, mimeType, ...body })),
});

export const RESOURCES = [
  one('test://static-text', 'static-text', 'text/plain', { text: 'This is the content of the static text resource.' }),
  one('test://static-binary', 'static-binary', 'image/png', { blob: PNG }),
  one('test://watched-resource', 'watched-resource', 'text/plain', { text: 'Watched resource content.' }),
  {
    uriTemplate: 'test://template/{id}/data',
    name: 'template',
    title: 'template',
    description: 'Fixture of the conformance suite: template',
    mimeType: 'application/json',
    pattern: /^test:\/\/template\/([A-Za-z0-9_-]{1,64})\/data$/,
    argument: 'id',
    tool: behind(
      'template',
      ({ id }) => ({
        uri: `test://template/${id}/data`,
        mimeType: 'application/json',
        text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }),
      }),
      z.object({ id: z.string().max(64) }),
    ),
  },
];

import { METHODS } from '@portcullis/guard/mcp/protocol';
import { ProtocolError } from '@modelcontextprotocol/server';
import { image, resource, text } from './content.mjs';
import { accepted, asks, elicit } from './input-requests.mjs';

const user = (content) => ({ role: 'user', content });
const argument = (name) => ({ name, description: `Argument ${name}`, required: true });

const PROMPTS = {
  test_simple_prompt: { get: () => [user(text('This is a simple prompt for testing.'))] },
  test_prompt_with_arguments: {
    arguments: [argument('arg1'), argument('arg2')],
    get: ({ arg1, arg2 }) => [user(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`))],
  },
  test_prompt_with_embedded_resource: {
    arguments: [argument('resourceUri')],
    get: ({ resourceUri }) => [
      user(resource(resourceUri, 'text/plain', 'Embedded resource content for testing.')),
      user(text('Please process the embedded resource above.')),
    ],
  },
  test_prompt_with_image: { get: () => [user(image), user(text('Please analyze the image above.'))] },
  test_input_required_result_prompt: {
    get: (_args, responses) => {
      const context = accepted(responses, 'user_context', 'context');
      return context === undefined ? undefined : [user(text(`Context: ${context}`))];
    },
  },
};
const CONTEXT = elicit('What context should the prompt use?', { context: { type: 'string' } });

/** What the suite asks of a server besides tools and resources, by revision. */
export const FIXTURE_METHODS = {
  ...METHODS,
  'prompts/list': ['modern', 'legacy'],
  'prompts/get': ['modern', 'legacy'],
  'completion/complete': ['modern', 'legacy'],
  'logging/setLevel': ['legacy'],
  'resources/subscribe': ['legacy'],
  'resources/unsubscribe': ['legacy'],
};

/** Serves it, through the SDK, in a server made for one request. */
export function extend(server, { era }) {
  server.registerCapabilities({
    prompts: { listChanged: true },
    completions: {},
    ...(era === 'legacy' && { logging: {}, resources: { subscribe: true } }),
  });
  server.setRequestHandler('prompts/list', () => ({
    prompts: Object.entries(PROMPTS).map(([name, { arguments: args }]) => ({
      name,
      description: `Fixture of the conformance suite: ${name}`,
      ...(args && { arguments: args }),
    })),
  }));
  server.setRequestHandler('prompts/get', ({ params }, context) => {
    const prompt = Object.hasOwn(PROMPTS, params.name) ? PROMPTS[params.name] : undefined;
    if (prompt === undefined) throw new ProtocolError(-32602, 'There is no such prompt');
    const messages = prompt.get(params.arguments ?? {}, context.mcpReq.inputResponses);
    return messages === undefined ? asks({ user_context: CONTEXT }) : { messages };
  });
  server.setRequestHandler('completion/complete', () => ({ completion: { values: [], total: 0, hasMore: false } }));
  if (era !== 'legacy') return;
  for (const method of ['logging/setLevel', 'resources/subscribe', 'resources/unsubscribe']) {
    server.setRequestHandler(method, () => ({}));
  }
}

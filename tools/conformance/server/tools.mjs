import { setTimeout as sleep } from 'node:timers/promises';
import { toolResult } from '@portcullis/guard/mcp/tool-result';
import { defineTool } from '@portcullis/guard/tool';
import * as z from 'zod';
import { image, resource, says, text, WAV } from './content.mjs';
import { accepted, asks, elicit, listRoots, sample, signed, verified } from './input-requests.mjs';

/** Every caller of the fixtures has this one. */
export const SCOPE = 'customer:read';

const tool = (name, execute, input = z.object({})) =>
  defineTool({
    name,
    description: `Fixture of the conformance suite: ${name}`,
    scopes: [SCOPE],
    effects: ['none'],
    limit: { perMinute: 60, llmTokens: 500 },
    input,
    output: toolResult,
    answers: 'result',
    execute: async (args, _deps, context) => execute(args, context.exchange),
  });

const plain = [
  tool('test_simple_text', () => says('This is a simple text response for testing.')),
  tool('test_image_content', () => ({ content: [image] })),
  tool('test_audio_content', () => ({ content: [{ type: 'audio', data: WAV, mimeType: 'audio/wav' }] })),
  tool('test_embedded_resource', () => ({
    content: [resource('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')],
  })),
  tool('test_multiple_content_types', () => ({
    content: [
      text('Multiple content types test:'),
      image,
      resource('test://mixed-content-resource', 'application/json', JSON.stringify({ test: 'data', value: 123 })),
    ],
  })),
  tool('test_error_handling', () => ({
    ...says('This tool intentionally returns an error for testing'),
    isError: true,
  })),
  tool('test_reconnection', () => says('There is nothing to connect to again: every answer comes whole.')),
  tool(
    'json_schema_2020_12_tool',
    () => says('The schema is what is looked at.'),
    z.object({
      name: z.string().max(100).optional(),
      address: z.object({ street: z.string().max(100).optional() }).optional(),
    }),
  ),
  tool(
    'test_x_mcp_header',
    ({ region }) => says(`Region: ${region}`),
    z.object({ region: z.string().max(100).meta({ 'x-mcp-header': 'Region' }) }),
  ),
];

const streaming = [
  tool('test_tool_with_progress', async (_args, exchange) => {
    for (const progress of [0, 50, 100]) {
      exchange.progress(progress, 100);
      await sleep(20);
    }
    return says('It is done.');
  }),
  tool('test_tool_with_logging', async (_args, exchange) => {
    for (const line of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
      exchange.log('info', line);
      await sleep(20);
    }
    return says('It is done.');
  }),
  tool('test_logging_tool', (_args, exchange) => {
    exchange.log('info', 'This is told to who asked for it only.');
    return says('It is done.');
  }),
  tool('test_streaming_elicitation', (_args, exchange) => {
    exchange.needs('elicitation');
    exchange.progress(1, 2);
    return asks({ name: elicit('What is your name?', { name: { type: 'string' } }) });
  }),
  tool('test_missing_capability', (_args, exchange) => {
    exchange.needs('sampling');
    return says('The client can sample.');
  }),
];

const NAME = { name: { type: 'string' } };
const asking = [
  tool(
    'test_sampling',
    ({ prompt }, { inputResponses }) => {
      const answer = inputResponses?.sampled?.content?.text;
      return answer === undefined ? asks({ sampled: sample(prompt) }) : says(`LLM response: ${answer}`);
    },
    z.object({ prompt: z.string().max(5000) }),
  ),
  tool(
    'test_elicitation',
    ({ message }, { inputResponses }) => {
      const answer = inputResponses?.user;
      const fields = { username: { type: 'string' }, email: { type: 'string' } };
      return answer === undefined
        ? asks({ user: elicit(message, fields) })
        : says(`User response: ${JSON.stringify(answer)}`);
    },
    z.object({ message: z.string().max(5000) }),
  ),
  tool('test_elicitation_sep1034_defaults', (_args, { inputResponses }) =>
    elicited(inputResponses, {
      name: { type: 'string', default: 'John Doe' },
      age: { type: 'integer', default: 30 },
      score: { type: 'number', default: 95.5 },
      status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
      verified: { type: 'boolean', default: true },
    }),
  ),
  tool('test_elicitation_sep1330_enums', (_args, { inputResponses }) => elicited(inputResponses, ENUMS)),
  tool('test_input_required_result_elicitation', (_args, { inputResponses }) => {
    const name = accepted(inputResponses, 'user_name', 'name');
    return name === undefined ? asks({ user_name: elicit('What is your name?', NAME) }) : says(`Hello, ${name}!`);
  }),
  tool('test_input_required_result_sampling', (_args, { inputResponses }) => {
    const answer = inputResponses?.capital_question?.content?.text;
    return answer === undefined ? asks({ capital_question: sample('What is the capital of France?') }) : says(answer);
  }),
  tool('test_input_required_result_list_roots', (_args, { inputResponses }) => {
    const roots = inputResponses?.client_roots?.roots;
    return Array.isArray(roots) ? says(`Roots: ${JSON.stringify(roots)}`) : asks({ client_roots: listRoots });
  }),
  tool('test_input_required_result_request_state', (_args, { inputResponses, requestState }) => {
    if (requestState === undefined) {
      return asks({ confirm: elicit('Please confirm', { ok: { type: 'boolean' } }) }, signed({ asked: 'confirm' }));
    }
    verified(requestState);
    return says(`state-ok: ${accepted(inputResponses, 'confirm', 'ok')}`);
  }),
  tool('test_input_required_result_tampered_state', (_args, { requestState }) => {
    if (requestState === undefined) {
      return asks({ confirm: elicit('Please confirm', { ok: { type: 'boolean' } }) }, signed({ asked: 'confirm' }));
    }
    verified(requestState);
    return says('The state is what it was.');
  }),
  tool('test_input_required_result_multiple_inputs', (_args, { inputResponses, requestState }) => {
    if (requestState !== undefined) verified(requestState);
    const there = ['user_name', 'greeting', 'client_roots'].every((key) => inputResponses?.[key] !== undefined);
    if (there) return says(`Hello, ${accepted(inputResponses, 'user_name', 'name')}!`);
    return asks(
      {
        user_name: elicit('What is your name?', NAME),
        greeting: sample('Generate a greeting', 50),
        client_roots: listRoots,
      },
      signed({ asked: 'all' }),
    );
  }),
  tool('test_input_required_result_multi_round', (_args, { inputResponses, requestState }) => {
    const { name } = requestState === undefined ? {} : verified(requestState);
    const [one, two] = [accepted(inputResponses, 'step1', 'name'), accepted(inputResponses, 'step2', 'color')];
    if (name !== undefined && two !== undefined) return says(`${name} likes ${two}.`);
    if (name === undefined && one === undefined) {
      return asks({ step1: elicit('Step 1: What is your name?', NAME) }, signed({ round: 1 }));
    }
    const color = elicit('Step 2: What is your favorite color?', { color: { type: 'string' } });
    return asks({ step2: color }, signed({ round: 2, name: name ?? one }));
  }),
  tool('test_input_required_result_capabilities', (_args, { capabilities, inputResponses }) => {
    if (inputResponses !== undefined) return says('The client answered.');
    const able = [
      ...(capabilities.sampling ? [['sampled', sample('Say something')]] : []),
      ...(capabilities.elicitation ? [['name', elicit('What is your name?', NAME)]] : []),
      ...(capabilities.roots ? [['roots', listRoots]] : []),
    ];
    return able.length === 0 ? says('The client can be asked for nothing.') : asks(Object.fromEntries(able));
  }),
];

const OPTIONS = ['option1', 'option2', 'option3'];
const titled = (key) => OPTIONS.map((_option, at) => ({ const: `value${at + 1}`, title: `${key} ${at + 1}` }));
const ENUMS = {
  untitledSingle: { type: 'string', enum: OPTIONS },
  titledSingle: { type: 'string', oneOf: titled('Option') },
  legacyEnum: { type: 'string', enum: OPTIONS, enumNames: ['Option One', 'Option Two', 'Option Three'] },
  untitledMulti: { type: 'array', items: { type: 'string', enum: OPTIONS } },
  titledMulti: { type: 'array', items: { anyOf: titled('Choice') } },
};

function elicited(responses, properties) {
  const answer = responses?.form;
  if (answer === undefined) return asks({ form: elicit('Please fill this in', properties) });
  return says(`Elicitation completed: action=${answer.action}, content=${JSON.stringify(answer.content)}`);
}

/** Every tool the suite calls. @param {{ tell(change: string): void }} changes hears that a list changed */
export const fixtureTools = (changes) => [
  ...plain,
  ...streaming,
  ...asking,
  tool('test_trigger_tool_change', () => {
    changes.tell('toolsListChanged');
    return says('The tools changed.');
  }),
  tool('test_trigger_prompt_change', () => {
    changes.tell('promptsListChanged');
    return says('The prompts changed.');
  }),
];

/** Wrong use of the command line; the message says what to change. */
export class WrongUse extends Error {}

/** libs/guard/src/tool.ts, `Effect` */
export const EFFECTS = [
  'reads-pii',
  'reads-pii-in-bulk',
  'reads-untrusted',
  'writes',
  'destroys',
  'sends-outside',
  'none',
];

export const HELP = `npm run new-tool -- NAME --scopes SCOPE,… --effects EFFECT,… [options]

Writes a tool of mcp-server, its spec, and its line in the registry.
  NAME          as clients see it: snake_case, such as get_order_status
  --scopes      what every call needs; each is a row of libs/scopes/src/scopes.ts
  --effects     what it touches: ${EFFECTS.join(', ')}
  --per-minute  calls a minute for one principal          (default 60)
  --llm-tokens  LLM tokens reserved for one call          (default 500)
  --registry    the file that lists the tools             (default apps/mcp-server/src/tools/tools.ts)
`;

const NAME = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;

/**
 * @param {readonly string[]} names
 * @param {Record<string, string | boolean | undefined>} options
 * @param {readonly string[]} known scopes
 * @throws WrongUse naming what is wrong
 */
export function checked(names, options, known) {
  const [name, ...more] = names;
  if (name === undefined || more.length > 0) throw new WrongUse(`Name one tool.\n\n${HELP}`);
  if (!NAME.test(name) || name.length > 64)
    throw new WrongUse(`'${name}' is no name: snake_case, at most 64 characters.`);
  const scopes = listed('--scopes', options.scopes, known);
  const effects = listed('--effects', options.effects, EFFECTS);
  if (effects.includes('none') && effects.length > 1) throw new WrongUse(`--effects: 'none' stands alone.`);
  const words = name.split('_');
  return {
    name,
    file: words.join('-'),
    variable: words.map((word, i) => (i === 0 ? word : word[0].toUpperCase() + word.slice(1))).join(''),
    scopes,
    effects,
    perMinute: whole('--per-minute', options['per-minute'] ?? '60', 10_000),
    llmTokens: whole('--llm-tokens', options['llm-tokens'] ?? '500', 100_000),
  };
}

function listed(option, text, known) {
  const given = [
    ...new Set(
      String(text ?? '')
        .split(',')
        .filter((word) => word !== ''),
    ),
  ];
  if (given.length === 0) throw new WrongUse(`${option} is missing.\n\n${HELP}`);
  const unknown = given.filter((word) => !known.includes(word));
  if (unknown.length > 0) throw new WrongUse(`${option}: ${unknown.join(', ')} is none of ${known.join(', ')}.`);
  return given;
}

function whole(option, text, max) {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > max)
    throw new WrongUse(`${option} takes a number from 1 to ${max}.`);
  return number;
}

const list = (words) => `[${words.map((word) => `'${word}'`).join(', ')}]`;

const CHANGING = ['writes', 'destroys', 'sends-outside'];
const PERSONAL = ['reads-pii', 'reads-pii-in-bulk'];

/**
 * What a tool has to say of customers, by its effects; task.ts of the guard goes by it.
 * @returns one sentence for each member that is still to be written
 */
export const reminders = ({ effects }) => [
  ...(effects.some((effect) => CHANGING.includes(effect))
    ? [
        'customersOf: say whose records a call touches, and hold every write to context.customers; without it no task that is bound to a customer may call it, and no budget counts it.',
      ]
    : []),
  ...(effects.some((effect) => PERSONAL.includes(effect))
    ? [
        'customersIn: say whose data an output shows; without it, and without customersOf, no task that is bound to a customer may call it, and no budget counts it.',
      ]
    : []),
];

/** A tool that works as it stands: it gives back what it was given. */
export const toolText = ({ name, variable, scopes, effects, perMinute, llmTokens }) => `
import { defineTool } from '@portcullis/guard/tool';
import { text } from '@portcullis/validators/text';
import * as z from 'zod';

export const ${variable} = defineTool({
  name: '${name}',
  description: 'Give back a text.',
  scopes: ${list(scopes)},
  effects: ${list(effects)},
  limit: { perMinute: ${perMinute}, llmTokens: ${llmTokens} },
  input: z.strictObject({ text: text({ max: 200 }) }),
  output: z.strictObject({ text: z.string() }),
${reminders({ effects })
  .map((each) => `  // TO WRITE, ${each.replaceAll('; ', ';\n  // ')}\n`)
  .join('')}  execute: async (input) => ({ text: input.text }),
});
`;

export const specText = ({ name, variable, file }) => `
import { ${variable} } from './${file}.js';
import { TOOLS } from './tools.js';

const takes = (input: unknown): boolean => ${variable}.input.safeParse(input).success;

test('${name} is one of the tools', () => {
  expect(TOOLS.get('${name}')).toBe(${variable});
});

test.each([{}, { text: '' }, { text: 'x'.repeat(201) }, { text: 'a\\u0000b' }, { text: 'a', more: 1 }])(
  '${name} does not take %j',
  (input) => {
    expect(takes(input)).toBe(false);
  },
);

test('${name} gives what its schema says', async () => {
  const output = await ${variable}.execute({ text: 'hello' }, {} as never, {} as never);
  expect(${variable}.output.parse(output)).toEqual({ text: 'hello' });
});
`;

/**
 * The registry with one tool more: its import in the order of the files, its line at the end, where clients see it last.
 * @throws WrongUse when it has the tool already, or is no registry
 */
export function registryWith(registry, { file, variable }) {
  if (new RegExp(`\\b${variable}\\b`).test(registry) || registry.includes(`'./${file}.js'`))
    throw new WrongUse(`There is a tool ${variable} already.`);
  const lines = registry.split('\n');
  const line = `import { ${variable} } from './${file}.js';`;
  const end = lines.findIndex((each) => /^\]\)/.test(each));
  if (end < 0) throw new WrongUse('The registry has no list that ends with `]);`.');
  lines.splice(end, 0, `  ${variable},`);
  const path = (each) => /^import .* from '\.\/(.*)\.js';$/.exec(each)?.[1];
  const next = lines.findIndex((each) => path(each) !== undefined && path(each) > file);
  const lastImport = lines.findLastIndex((each) => each.startsWith('import '));
  lines.splice(next < 0 ? lastImport + 1 : next, 0, line);
  return lines.join('\n');
}

import * as z from 'zod';
import { NotDone, WrongUse } from './faults.js';
import { runProgram, type GlobalOptions } from './program.js';
import { defineVerb, type AnyVerb, type VerbPorts } from './verb.js';

const failure: { thrown: Error | undefined } = { thrown: undefined };
const verbs: readonly AnyVerb[] = [
  defineVerb({
    name: 'thing add',
    says: 'adds a thing',
    argument: { name: 'thing-name', says: 'its name' },
    options: [
      { flags: '--colour <colour>', says: 'its colour', choices: ['red', 'blue'] },
      { flags: '--part <part>', says: 'a part of it', repeated: true },
    ],
    input: z.object({
      thingName: z.string().max(5, 'takes at most 5 characters'),
      colour: z.string().optional(),
      part: z.array(z.string()).default([]),
    }),
    run: async (input) => ({ json: input, text: 'added' }),
  }),
  defineVerb({
    name: 'check',
    says: 'checks',
    options: [],
    input: z.object({}),
    run: async () => {
      if (failure.thrown) throw failure.thrown;
      return { json: [], text: 'one check failed', ok: false };
    },
  }),
];

async function run(...args: string[]) {
  const said = { out: '', err: '', options: undefined as GlobalOptions | undefined };
  const portsFor = (options: GlobalOptions) => {
    said.options = options;
    return {} as VerbPorts;
  };
  const streams = { out: (text: string) => void (said.out += text), err: (text: string) => void (said.err += text) };
  return { code: await runProgram(args, verbs, portsFor, streams), ...said };
}
beforeEach(() => {
  failure.thrown = undefined;
});

test('a verb that is done exits 0 and says so on stdout', async () => {
  expect(await run('thing', 'add', 'lamp')).toMatchObject({ code: 0, out: 'added\n', err: '' });
});

test('with --json, before or after the verb, stdout is JSON and nothing else', async () => {
  for (const args of [
    ['--json', 'thing', 'add', 'lamp', '--part', 'a', '--part', 'b'],
    ['thing', 'add', 'lamp', '--part=a', '--part=b', '--json'],
  ]) {
    const { code, out, err } = await run(...args);
    expect([code, JSON.parse(out), err]).toEqual([0, { thingName: 'lamp', part: ['a', 'b'] }, '']);
  }
});

test('where the gate is may be said before or after the verb', async () => {
  expect((await run('--data', 'd', 'check', '--url', 'http://127.0.0.1:1')).options).toMatchObject({
    data: 'd',
    url: 'http://127.0.0.1:1',
  });
});

test('a check that failed exits 1', async () => {
  expect(await run('check')).toMatchObject({ code: 1, out: 'one check failed\n' });
});

test.each([
  [new NotDone('Nobody answers.'), 1, 'Nobody answers.\n'],
  [new WrongUse('No gate found.'), 2, 'No gate found.\n'],
  [new TypeError('x is not a function'), 1, 'Something unexpected happened in portcullis: x is not a function\n'],
])('%s is one sentence on stderr, without a stack', async (thrown, code, err) => {
  failure.thrown = thrown;
  expect(await run('check', '--json')).toMatchObject({ code, out: '', err });
});

test.each([
  ['no verb', [], /Usage: portcullis/],
  ['an unknown verb', ['nope'], /unknown command 'nope'[^]*See portcullis --help/],
  ['half a verb', ['thing'], /Usage: portcullis thing/],
  ['an unknown second word', ['thing', 'ad'], /Did you mean add\?[^]*See portcullis thing --help/],
  ['an unknown option', ['check', '--nope'], /unknown option '--nope'[^]*See portcullis check --help/],
  ['an argument too many', ['check', 'x'], /too many arguments/],
  ['a missing argument', ['thing', 'add'], /missing required argument 'thing-name'/],
  ['an option without its value', ['thing', 'add', 'lamp', '--colour'], /argument missing/],
  ['a value that is no choice', ['thing', 'add', 'lamp', '--colour', 'green'], /Allowed choices are red, blue/],
  ['an argument of the wrong shape', ['thing', 'add', 'lampshade'], /^<thing-name> takes at most 5 characters\.\n$/],
  ['a --url that is none', ['check', '--url', 'gate'], /--url takes a URL such as/],
  ['a --url of another scheme', ['check', '--url', 'file:///etc/passwd'], /--url takes a URL such as/],
])('%s exits 2, says what is wrong on stderr and nothing on stdout', async (_, args, says) => {
  const { code, out, err } = await run(...args);
  expect([code, out]).toEqual([2, '']);
  expect(err).toMatch(says);
});

test('--help exits 0 and lists the verbs of the table, and no others', async () => {
  const { code, out, err } = await run('--help');
  expect([code, err]).toEqual([0, '']);
  const listed = out.slice(out.indexOf('Commands:')).match(/^ {2}(\w+)/gm);
  expect(listed).toEqual(['  thing', '  check']);
  const verb = await run('thing', 'add', '--help');
  expect(verb).toMatchObject({ code: 0, err: '' });
  expect(verb.out).toMatch(/<thing-name>[^]*--colour <colour>[^]*Global Options:[^]*--ready-file/);
});

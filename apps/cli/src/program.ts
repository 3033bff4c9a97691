import { Command, CommanderError, Option } from 'commander';
import * as z from 'zod';
import { EXIT, faultOf, WrongUse } from './faults.js';
import type { Whereabouts } from './place.js';
import { globalOptions, type AnyVerb, type Answer, type VerbOption, type VerbPorts } from './verb.js';

/** Where the words go. */
export interface Streams {
  out(text: string): void;
  err(text: string): void;
}

/** What every verb takes besides its own options. */
export interface GlobalOptions extends Whereabouts {
  readonly json?: boolean;
}

const SAYS = 'The command line of Portcullis, the gate between AI agents and the tools they call.';
const FIND = `
The running gate is found by --url, --ready-file, --data, the environment variable
PORTCULLIS_READY_FILE, else .portcullis/ready.json, in this order.
Exit code: 0 done, 1 a check failed, 2 wrong use.`;

/**
 * Runs one command line. Everything it says about itself (help, completion) comes from the verbs.
 * @param args without the two of node
 * @returns the exit code
 */
export async function runProgram(
  args: readonly string[],
  verbs: readonly AnyVerb[],
  portsFor: (options: GlobalOptions) => VerbPorts,
  streams: Streams,
): Promise<number> {
  let code: number = EXIT.done;
  const program = programOf(verbs, streams, async (verb, given, options) => {
    const input = inputOf(verb, given);
    const answer = await verb.run(input as never, portsFor(whereabouts(options)));
    say(answer, options, streams);
    if (answer.ok === false) code = EXIT.failed;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.wrongUse;
    const fault = faultOf(error);
    streams.err(`${fault.message}\n`);
    return fault.code;
  }
}

type Act = (verb: AnyVerb, given: Record<string, unknown>, options: GlobalOptions) => Promise<void>;

function programOf(verbs: readonly AnyVerb[], streams: Streams, act: Act): Command {
  const program = new Command('portcullis')
    .description(SAYS)
    .helpCommand(false)
    .showSuggestionAfterError(true)
    .addHelpText('after', FIND);
  for (const option of globalOptions) program.addOption(optionOf(option));
  const groups = new Map<string, Command>();
  for (const verb of verbs) {
    const [first = '', second] = verb.name.split(' ');
    if (second === undefined) addVerb(program, first, verb, act);
    else addVerb(groupNamed(first), second, verb, act);
  }
  settle(program, streams);
  return program;

  function groupNamed(name: string): Command {
    const known = groups.get(name);
    if (known) return known;
    const verbsOfGroup = verbs
      .filter((verb) => verb.name.startsWith(`${name} `))
      .map((verb) => verb.name.slice(name.length + 1));
    const group = program.command(name).description(verbsOfGroup.join(', ')).helpCommand(false);
    groups.set(name, group);
    return group;
  }
}

function addVerb(parent: Command, name: string, verb: AnyVerb, act: Act): void {
  const command = parent.command(name).description(verb.says).allowExcessArguments(false);
  if (verb.argument) command.argument(`<${verb.argument.name}>`, verb.argument.says);
  for (const option of verb.options) command.addOption(optionOf(option));
  command.action(async () => {
    const argument = verb.argument && { [camelCase(verb.argument.name)]: command.args[0] };
    await act(verb, { ...command.opts(), ...argument }, command.optsWithGlobals());
  });
}

function optionOf({ flags, says, choices, repeated }: VerbOption): Option {
  const option = new Option(flags, says);
  if (choices) option.choices(choices);
  if (repeated) option.argParser((value: string, before: readonly string[] = []) => [...before, value]);
  return option;
}

/** What commander does not hand down to commands that exist already. */
function settle(command: Command, streams: Streams): void {
  command
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: streams.out,
      writeErr: streams.err,
      outputError: (text, write) =>
        write(`${text.replace(/^error: /, '').trimEnd()}\nSee ${pathOf(command)} --help.\n`),
    });
  for (const inner of command.commands) settle(inner, streams);
}

const pathOf = (command: Command): string =>
  command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();

function inputOf(verb: AnyVerb, given: Record<string, unknown>): unknown {
  const parsed = verb.input.safeParse(given);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new WrongUse(`${wordFor(verb, String(issue?.path[0] ?? ''))} ${issue?.message ?? 'is not right'}.`);
}

const httpUrl = z.url({ protocol: /^https?$/ });
function whereabouts(options: GlobalOptions): GlobalOptions {
  if (options.url !== undefined && !httpUrl.safeParse(options.url).success) {
    throw new WrongUse(`--url takes a URL such as http://127.0.0.1:4401, not '${options.url}'.`);
  }
  return options;
}

const wordFor = (verb: AnyVerb, key: string): string =>
  camelCase(verb.argument?.name ?? '') === key ? `<${verb.argument?.name}>` : `--${kebabCase(key)}`;
const camelCase = (name: string): string => name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
const kebabCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

function say(answer: Answer, options: GlobalOptions, streams: Streams): void {
  const text = options.json ? JSON.stringify(answer.json, null, 2) : answer.text;
  if (text !== '') streams.out(`${text}\n`);
}

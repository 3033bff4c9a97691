// What the command line of attack.mjs asks for.
import { randomInt } from 'node:crypto';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

const ATTACKS = {
  fuzz: 'requests to mcp-server with anything in body, headers and token',
  chaos: 'a cluster under load whose processes, engines, network and disk are broken one after the other',
};
const CASES = 200_000;

export const USAGE = `npm run attack -- [NAME] [--cases N] [--seed N] [--faults WORD,...] [--json FILE]

${Object.entries(ATTACKS)
  .map(([name, says]) => `  ${name.padEnd(10)}${says}`)
  .join('\n')}

Without a name each is run.

  --cases N     how many, ${CASES} unless said
  --seed N      which; another each time unless said
  --faults ...  of chaos: only those with one of these words in their name (kill,redis,mcp-server/1); all unless said
  --json FILE   writes what came out; of several attacks, each under its name

Exit 0: the server held. Exit 1: it did not. Exit 2: wrong use.`;
const MOST = 2 ** 31 - 1;

/**
 * @param {readonly string[]} args
 * @returns the names of the attacks, and the options of each; undefined where help is asked for
 * @throws Error that says what is wrong with them
 */
export function asked(args) {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      cases: { type: 'string', default: String(CASES) },
      seed: { type: 'string' },
      faults: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return undefined;
  const [name, ...more] = positionals;
  if (more.length > 0 || (name !== undefined && !Object.hasOwn(ATTACKS, name)))
    throw new Error(`name one of: ${Object.keys(ATTACKS).join(', ')}`);
  return {
    names: name === undefined ? Object.keys(ATTACKS) : [name],
    options: {
      cases: counted('cases', values.cases),
      seed: values.seed === undefined ? randomInt(MOST) : counted('seed', values.seed),
      faults: values.faults?.split(','),
      json: values.json && resolve(process.env.INIT_CWD ?? '.', values.json),
    },
  };
}

function counted(option, text) {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > MOST)
    throw new Error(`--${option} takes a whole number from 1 to ${MOST}`);
  return count;
}

// `npm run attack`, or `-- NAME` for one: attacks a server of its own, harder and longer than the tests do. `--json FILE` writes what came out.
import { randomInt } from 'node:crypto';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

const ATTACKS = { fuzz: 'requests to mcp-server with anything in body, headers and token' };

const USAGE = `npm run attack -- [NAME] [--cases N] [--seed N] [--json FILE]

${Object.entries(ATTACKS)
  .map(([name, says]) => `  ${name.padEnd(10)}${says}`)
  .join('\n')}

Without a name each is run.

  --cases N     how many, 200000 unless said
  --seed N      which; another each time unless said
  --json FILE   writes what came out

Exit 0: the server held. Exit 1: it did not. Exit 2: wrong use.`;
const MOST = 2 ** 31 - 1;

const { values, positionals } = asked();
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const [name, ...more] = positionals;
if (more.length > 0 || (name !== undefined && !Object.hasOwn(ATTACKS, name)))
  wrongUse(`name one of: ${Object.keys(ATTACKS).join(', ')}`);

const options = {
  cases: counted('cases', values.cases),
  seed: values.seed === undefined ? randomInt(MOST) : counted('seed', values.seed),
  json: values.json && resolve(process.env.INIT_CWD ?? '.', values.json),
};
let ok = true;
for (const each of name === undefined ? Object.keys(ATTACKS) : [name]) {
  const { run } = await import(`./${each}.mjs`);
  ok = (await run(options)) && ok;
}
process.exitCode = ok ? 0 : 1;

function asked() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        cases: { type: 'string', default: '200000' },
        seed: { type: 'string' },
        json: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    return wrongUse(error.message);
  }
}

function counted(option, text) {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > MOST)
    wrongUse(`--${option} takes a whole number from 1 to ${MOST}`);
  return count;
}

function wrongUse(says) {
  console.error(`${says}\n\n${USAGE}`);
  process.exit(2);
}

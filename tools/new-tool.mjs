// `npm run new-tool -- NAME --scopes … --effects …`: a tool of mcp-server, its spec and its line in the registry.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { checked, HELP, registryWith, reminders, specText, toolText, WrongUse } from './new-tool/texts.mjs';

const root = join(import.meta.dirname, '..');

/** The scopes that agents may have, from the rows of the table. */
const scopeNames = () =>
  [
    ...readFileSync(join(root, 'libs/scopes/src/scopes.ts'), 'utf8').matchAll(
      /^ {2}'([a-z:]+)': \{.*holder: 'client'/gm,
    ),
  ].map(([, name]) => name);

async function main() {
  const { values, positionals } = parsed(process.argv.slice(2));
  if (values.help) return process.stdout.write(HELP);
  const registry = join(values.registry ?? join(root, 'apps/mcp-server/src/tools/tools.ts'));
  const before = readFileSync(registry, 'utf8');
  const tool = checked(positionals, values, scopeNames());
  const folder = dirname(registry);
  const files = {
    [join(folder, `${tool.file}.ts`)]: toolText(tool),
    [join(folder, `${tool.file}.spec.ts`)]: specText(tool),
    [registry]: registryWith(before, tool),
  };
  const style = await resolveConfig(join(root, 'package.json'));
  const texts = await Promise.all(
    Object.entries(files).map(async ([path, text]) => [path, await format(text, { ...style, filepath: path })]),
  );
  // `wx`: what is there already is nobody's to write over; the registry comes last, when the rest is there
  for (const [path, text] of texts) writeFileSync(path, text, { flag: path === registry ? 'w' : 'wx' });
  process.stdout.write(`${texts.map(([path]) => `wrote ${relative(process.cwd(), path)}`).join('\n')}
Now say what it takes, gives and does; what each field means: docs/guard.md.
${reminders(tool)
  .map((each) => `  ${each}\n`)
  .join('')}Then have its definition approved:
  npm run build && npx portcullis pins approve --tool ${tool.name}
`);
}

function parsed(args) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        scopes: { type: 'string' },
        effects: { type: 'string' },
        'per-minute': { type: 'string' },
        'llm-tokens': { type: 'string' },
        registry: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new WrongUse(error.message);
  }
}

try {
  await main();
} catch (error) {
  if (error.code !== 'EEXIST' && !(error instanceof WrongUse)) throw error;
  process.stderr.write(`${error.code === 'EEXIST' ? `${error.path} is there already.` : error.message}\n`);
  process.exitCode = 2;
}

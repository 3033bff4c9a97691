// `npm run attack`, or `-- NAME` for one: attacks a server of its own, harder and longer than the tests do. `--json FILE` writes what came out.
import { writeFileSync } from 'node:fs';
import { asked, USAGE } from './asked.mjs';

let attacks;
try {
  attacks = asked(process.argv.slice(2));
} catch (error) {
  console.error(`${error.message}\n\n${USAGE}`);
  process.exit(2);
}
if (attacks === undefined) {
  console.log(USAGE);
  process.exit(0);
}
const { names, options } = attacks;
const results = {};
for (const name of names) {
  const { run } = await import(`./${name}.mjs`);
  const { ok, result } = await run(options);
  results[name] = result;
  if (!ok) process.exitCode = 1;
}
if (options.json) {
  const written = names.length === 1 ? results[names[0]] : results;
  writeFileSync(options.json, `${JSON.stringify(written, null, 2)}\n`);
}

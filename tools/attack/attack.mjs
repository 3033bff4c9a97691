// `npm run attack`, or `-- NAME` for one: attacks a server of its own, harder and longer than the tests do. `--json FILE` writes what came out.
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
let ok = true;
for (const name of attacks.names) {
  const { run } = await import(`./${name}.mjs`);
  ok = (await run(attacks.options)) && ok;
}
process.exitCode = ok ? 0 : 1;

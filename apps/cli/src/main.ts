import { runProgram } from './program.js';
import { VERBS } from './verbs.js';
import { portsOf } from './wire.js';

// A reader that has seen enough (`portcullis audit tail | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const out = (text: string) => void process.stdout.write(text);
const err = (text: string) => void process.stderr.write(text);
process.exitCode = await runProgram(
  process.argv.slice(2),
  VERBS,
  (options) => portsOf(options, (line) => err(`${line}\n`)),
  { out, err },
);

import { pinStates } from '@portcullis/guard/pins';
import { PINNED_TOOLS } from './pinned-tools.js';
import { approvePins, PINS_FILE, readPinsIfAny } from './pins.file.js';

/*
 * The program behind `portcullis pins`, since the command line tool holds no tools: `approve NAME…` pins these (all when
 * none is named) and prints what that changed; in any case what then stands is printed as JSON.
 */
const [verb, ...names] = process.argv.slice(2);
try {
  const { approved, changes } =
    verb === 'approve' ? await approvePins(names) : { approved: await readPinsIfAny(), changes: undefined };
  process.stdout.write(`${JSON.stringify({ file: PINS_FILE, tools: pinStates(PINNED_TOOLS, approved), changes })}\n`);
} catch (error) {
  if (!(error instanceof RangeError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}

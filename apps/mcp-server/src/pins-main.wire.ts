import { pinStates } from '@portcullis/guard/pins';
import { approvedWith, PINNED_TOOLS } from './pinned-tools.js';
import { PINS_FILE, readPins, writePins } from './pins.file.js';

/*
 * The program behind `portcullis pins`, since the command line tool holds no tools: `approve NAME…` pins these (all when
 * none is named); in any case what then stands is printed as JSON.
 */
const [verb, ...names] = process.argv.slice(2);
// before the first approval there is no file
const before = await readPins().catch((error: NodeJS.ErrnoException) => {
  if (error.code === 'ENOENT') return {};
  throw error;
});
try {
  const approved = verb === 'approve' ? approvedWith(before, names) : before;
  if (verb === 'approve') await writePins(approved);
  process.stdout.write(`${JSON.stringify({ file: PINS_FILE, tools: pinStates(PINNED_TOOLS, approved) })}\n`);
} catch (error) {
  if (!(error instanceof RangeError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}

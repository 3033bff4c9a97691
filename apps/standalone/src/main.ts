import 'reflect-metadata';
import { runUntilSignal } from '@portcullis/service/signals.file';
import { HELP, parseOptions } from './options.js';
import { banner } from './ready.js';
import { startPlatform } from './start.js';
import { exitCodeOf, sayWhy } from './failure.js';

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(HELP);
  } else {
    const platform = await startPlatform(options);
    process.stdout.write(banner(platform.ready, options.data));
    await runUntilSignal(platform);
  }
} catch (error) {
  process.stderr.write(`${sayWhy(error)}\n`);
  process.exit(exitCodeOf(error));
}

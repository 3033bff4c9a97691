import { bind } from '@portcullis/service/listener.http';
import { readSettings } from '@portcullis/service/settings';
import { readSecretFile } from '@portcullis/service/settings.file';
import { runUntilSignal } from '@portcullis/service/signals.file';
import { readTls } from '@portcullis/service/tls.file';
import { config } from './config.js';
import { startRateLimiter } from './start.js';
import { embeddedParts } from './wire.js';

try {
  const settings = readSettings(config, process.env, readSecretFile);
  const parts = embeddedParts(settings);
  const bound = await bind(settings.HOST, settings.PORT, readTls(settings));
  const service = await startRateLimiter(settings, parts, bound);
  parts.log.info('listening', { url: service.url, management: service.managementUrl, mode: settings.PORTCULLIS_MODE });
  await runUntilSignal({ close: () => service.close().then(() => parts.limiter.close()) }, parts.log);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : 'could not start'}\n`);
  // not exitCode: a port that is bound already would keep the process alive
  process.exit(1);
}

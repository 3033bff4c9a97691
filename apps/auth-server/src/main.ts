import { bind } from '@portcullis/service/listener.http';
import { readSettings } from '@portcullis/service/settings';
import { readSecretFile } from '@portcullis/service/settings.file';
import { runUntilSignal } from '@portcullis/service/signals.file';
import { readTls } from '@portcullis/service/tls.file';
import { config } from './config.js';
import { startAuthServer } from './start.js';
import { embeddedParts } from './wire.js';

try {
  const settings = readSettings(config, process.env, readSecretFile);
  const parts = await embeddedParts(settings);
  const bound = await bind(settings.HOST, settings.PORT, readTls(settings));
  const service = await startAuthServer(settings, parts, bound);
  parts.log.info('listening', { url: service.url, management: service.managementUrl, mode: settings.PORTCULLIS_MODE });
  await runUntilSignal({ close: () => service.close().then(() => parts.close()) }, parts.log);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : 'could not start'}\n`);
  // not exitCode: parts that were opened before the failure would keep the process alive
  process.exit(1);
}

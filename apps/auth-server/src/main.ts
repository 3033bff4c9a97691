import { runService } from '@portcullis/service/run-service.wire';
import { config } from './config.js';
import { startAuthServer } from './start.js';
import { openParts } from './wire.js';

await runService({ config, parts: openParts, start: startAuthServer });

import { runService } from '@portcullis/service/run-service.wire';
import { config } from './config.js';
import { startAuthServer } from './start.js';
import { embeddedParts } from './wire.js';

await runService({ config, parts: embeddedParts, start: startAuthServer });

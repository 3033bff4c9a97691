import { runService } from '@portcullis/service/run-service.wire';
import { config } from './config.js';
import { startMcpServer } from './start.js';
import { openParts } from './wire.js';

await runService({ config, parts: openParts, start: startMcpServer });

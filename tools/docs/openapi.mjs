// Writes apps/rate-limiter/openapi.json anew, from the schemas that requests are read by: node tools/docs/openapi.mjs
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format } from 'prettier';
import { openApi } from '@portcullis/rate-limiter/openapi';

const path = join(import.meta.dirname, '../../apps/rate-limiter/openapi.json');
await writeFile(path, await format(JSON.stringify(openApi()), { parser: 'json', printWidth: 120 }));

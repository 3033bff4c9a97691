// `npm run build && node tools/kafka-scripts.mjs`: writes the scripts of infra/kafka from the tables in libs/contract.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { aclsScript, topicsScript } from '@portcullis/bus/topic-scripts';

const folder = join(import.meta.dirname, '../infra/kafka');
const write = (name, text) => writeFileSync(join(folder, name), text, { mode: 0o755 });
write('topics.sh', topicsScript());
write('acls.sh', aclsScript());

import { afterAll, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { neededEngines } from './needed-engines.mjs';

const root = mkdtempSync(join(tmpdir(), 'portcullis-engines-'));
afterAll(() => rmSync(root, { recursive: true }));
const write = (path: string, text = '') => {
  mkdirSync(join(root, dirname(path)), { recursive: true });
  writeFileSync(join(root, path), text);
};
write('libs/sql/src/postgres.fixture.ts');
write('libs/redis/src/redis.fixture.ts');
write('libs/bus/src/kafka.fixture.ts');
write('libs/redis/src/scripts.container.spec.ts', "import { testRedis } from './redis.fixture.js';\n");
// through a file of another project, and one that looks back
write('apps/gate/src/calls.container.spec.ts', "import { rig } from './rig.fixture.js';\nimport 'pg';\n");
write(
  'apps/gate/src/rig.fixture.ts',
  "import {\n  testKafka,\n} from '@portcullis/bus/kafka.fixture';\nexport type { X } from './loop.js';\n",
);
write(
  'apps/gate/src/loop.ts',
  "import { rig } from './rig.fixture.js';\nawait import('@portcullis/sql/postgres.fixture');",
);
write('apps/gate/src/own.container.spec.ts', "import { GenericContainer } from 'testcontainers';\n");
write('apps/gate/src/no.spec.ts', "import { testRedis } from '@portcullis/redis/redis.fixture';\n");

test.each([
  ['a spec that imports a fixture needs its server', ['scripts'], ['redis']],
  ['what is imported is followed through files and projects', ['gate/src/calls'], ['kafka', 'postgres']],
  ['a spec that starts containers of its own needs none', ['own\\.container'], []],
  ['several patterns need what each of them does', ['OWN', 'scripts'], ['redis']],
  ['without a pattern every container spec counts', [], ['kafka', 'postgres', 'redis']],
  ['a pattern that no container spec fits means all', ['no\\.spec'], ['kafka', 'postgres', 'redis']],
])('%s', (_what, patterns, engines) => {
  expect([...neededEngines(root, patterns)].sort()).toEqual(engines);
});

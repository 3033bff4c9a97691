import type { Database } from '@portcullis/sql/database';
import { migrate } from '@portcullis/sql/migrate.sql';
import { testPostgres } from '@portcullis/sql/postgres.fixture';
import { openPostgres } from '@portcullis/sql/postgres.sql';
import { refreshReplicasContract } from './refresh-replicas.contract.js';
import { refreshTokensContract } from './refresh-tokens.contract.js';
import { refreshTokensIn } from './refresh-tokens.fixture.js';
import { startReplicas, type Replicas } from './replicas.fixture.js';

let replicas: Replicas;
beforeAll(async () => {
  replicas = await startReplicas(await testPostgres().freshUrl());
}, 60_000);
afterAll(() => replicas.close());

describe('two servers on one Postgres', () => refreshReplicasContract(() => replicas.gates));

describe('refresh tokens in Postgres', () => {
  const opened: Database[] = [];
  const quiet = { onBroken: () => undefined };
  afterAll(() => Promise.all(opened.map((database) => database.close())));
  refreshTokensContract(async () => {
    const url = await testPostgres().freshUrl();
    const [database, replica] = await Promise.all([openPostgres(url, quiet), openPostgres(url, quiet)]);
    opened.push(database, replica);
    await migrate(database, 'auth', new URL('../migrations/', import.meta.url));
    return refreshTokensIn(database, replica);
  });
});

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openPostgres } from '@portcullis/sql/postgres.sql';
import { PostgreSqlContainer, type StartedPostgreSqlContainer } from '@testcontainers/postgresql';
import { sql } from 'kysely';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selfSigned } from './certificate.fixture.js';

const folder = mkdtempSync(join(tmpdir(), 'portcullis-tls-'));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const server = selfSigned('localhost');
const cert = file('server.pem', server.cert);
const stranger = file('stranger.pem', selfSigned('localhost').cert);
let container: StartedPostgreSqlContainer;
beforeAll(async () => {
  const key = file('server.key', server.key);
  container = await new PostgreSqlContainer('postgres:17').withSSL(cert, key).start();
});
afterAll(async () => {
  await container?.stop();
  rmSync(folder, { recursive: true });
});

const open = (host: string, query: Record<string, string>) => {
  const url = new URL(container.getConnectionUri());
  url.hostname = host;
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return openPostgres(url.href, { onBroken: () => undefined });
};

test('with sslmode=verify-full the connection is encrypted, to a server that proves its name', async () => {
  const database = await open('localhost', { sslmode: 'verify-full', sslrootcert: cert });
  const { rows } = await sql`select ssl, version from pg_stat_ssl where pid = pg_backend_pid()`.execute(
    database.schema('x'),
  );
  expect(rows).toEqual([{ ssl: true, version: 'TLSv1.3' }]);
  await database.close();
});

test.each([
  ['that a stranger vouches for', () => open('localhost', { sslmode: 'verify-full', sslrootcert: stranger })],
  ['that nobody vouches for', () => open('localhost', { sslmode: 'verify-full' })],
  ['that nobody vouches for, by sslmode=require,', () => open('localhost', { sslmode: 'require' })],
])('a server %s is not talked to', async (_what, opened) => {
  await expect(opened()).rejects.toMatchObject({ code: expect.stringMatching(/SELF_SIGNED|UNABLE_TO_VERIFY|CERT/) });
});

test('a server of another name is not talked to', async () => {
  const wrong = selfSigned('db.example');
  const other = await new PostgreSqlContainer('postgres:17')
    .withSSL(file('other.pem', wrong.cert), file('other.key', wrong.key))
    .start();
  const url = new URL(other.getConnectionUri());
  url.hostname = 'localhost';
  url.search = new URLSearchParams({ sslmode: 'verify-full', sslrootcert: join(folder, 'other.pem') }).toString();
  await expect(openPostgres(url.href, { onBroken: () => undefined })).rejects.toMatchObject({
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  });
  await other.stop();
});

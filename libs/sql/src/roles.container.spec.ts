import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Database } from './database.js';
import { migrate } from './migrate.sql.js';
import { openPostgres } from './postgres.sql.js';
import { runSql, testPostgres, withPath } from './postgres.fixture.js';

const ROOT = new URL('../../../', import.meta.url);
const script = readFileSync(new URL('infra/postgres/roles.sql', ROOT), 'utf8');
/** Whose tables lie in which schema. */
const SERVICES = { auth: 'auth-server', tools: 'mcp-server', audit: 'security-analytics' } as const;
type Schema = keyof typeof SERVICES;
const schemas = Object.keys(SERVICES) as Schema[];

const postgres = testPostgres();
const databases = new Map<Schema, Database>();
const as = (schema: Schema): Database => {
  const database = databases.get(schema);
  if (database === undefined) throw new Error(`${schema} is not open`);
  return database;
};

beforeAll(async () => {
  // an owner who may make roles, as a hosted server has one; no superuser
  const server = postgres.superuser(await postgres.freshUrl());
  const name = new URL(server).pathname.slice(1);
  const owner = { name: `owner_${randomBytes(4).toString('hex')}`, password: randomBytes(16).toString('hex') };
  await runSql(server, `create role ${owner.name} login createrole password '${owner.password}'`);
  await runSql(server, `alter database ${name} owner to ${owner.name}; alter schema public owner to ${owner.name}`);
  const url = withPath(server, name, owner);
  await runSql(url, script);
  await runSql(url, script);
  for (const schema of schemas) {
    const password = randomBytes(16).toString('hex');
    await runSql(server, `alter role ${schema} password '${password}'`);
    const database = await openPostgres(withPath(server, name, { name: schema, password }), {
      onBroken: () => undefined,
    });
    databases.set(schema, database);
    await migrate(database, schema, new URL(`apps/${SERVICES[schema]}/migrations/`, ROOT));
  }
});
afterAll(() => Promise.all([...databases.values()].map((database) => database.close())));

const tablesOf = async (schema: Schema): Promise<string[]> => {
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_class
    where relnamespace = ${schema}::regnamespace and relkind = 'r' order by 1`.execute(as(schema).schema(schema));
  return rows.map(({ name }) => name);
};
const REFUSED = { code: '42501' };

it('is not given to a role that row-level security leaves alone', async () => {
  const server = postgres.superuser(await postgres.freshUrl());
  await runSql(server, 'alter role audit bypassrls');
  await expect(runSql(server, script)).rejects.toThrow('the role audit is a superuser or has BYPASSRLS');
  await runSql(server, 'alter role audit nobypassrls');
  await runSql(server, script);
});

describe('the role of a service', () => {
  it.each(schemas)('%s makes its tables in its schema, and uses them', async (schema) => {
    expect((await tablesOf(schema)).length).toBeGreaterThan(2);
    const db = as(schema).schema<{ migrations: { name: string } }>(schema);
    expect((await db.selectFrom('migrations').select('name').execute()).length).toBeGreaterThan(0);
  });

  it.each(schemas)('%s has row-level security on every table with a tenant, and is not above it', async (schema) => {
    const { rows } = await sql<{ name: string; kept: boolean }>`
      select relname as name, relrowsecurity and relforcerowsecurity as kept from pg_class
      join pg_attribute on attrelid = pg_class.oid and attname = 'tenant'
      where relnamespace = ${schema}::regnamespace and relkind = 'r'`.execute(as(schema).schema(schema));
    expect(rows.length).toBeGreaterThan(2);
    expect(rows.filter(({ kept }) => !kept)).toEqual([]);
    const role = await sql<{ above: boolean }>`
      select rolsuper or rolbypassrls as above from pg_roles where rolname = current_user`.execute(
      as(schema).schema(schema),
    );
    expect(role.rows).toEqual([{ above: false }]);
  });

  it.each(schemas)('%s reads no table of another schema, and changes none', async (schema) => {
    const db = as(schema).schema(schema);
    for (const other of schemas.filter((each) => each !== schema)) {
      for (const table of await tablesOf(other)) {
        await expect(sql`select 1 from ${sql.id(other, table)}`.execute(db)).rejects.toMatchObject(REFUSED);
        await expect(sql`delete from ${sql.id(other, table)}`.execute(db)).rejects.toMatchObject(REFUSED);
      }
    }
  });

  it.each(schemas)('%s makes no table elsewhere and no schema, and takes on no other role', async (schema) => {
    const db = as(schema).schema(schema);
    for (const other of ['public', ...schemas.filter((each) => each !== schema)]) {
      await expect(sql`create table ${sql.id(other, 'mine')} (i int)`.execute(db)).rejects.toMatchObject(REFUSED);
    }
    await expect(sql`create schema mine`.execute(db)).rejects.toMatchObject(REFUSED);
    const other = schemas.find((each) => each !== schema) ?? '';
    await expect(sql`set role ${sql.id(other)}`.execute(db)).rejects.toMatchObject(REFUSED);
  });
});

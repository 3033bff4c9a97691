import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { sql, type Generated } from 'kysely';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Database } from './database.js';
import { migrate } from './migrate.sql.js';

/** What migrate() does to every variant of Database. @param open an empty database of its own */
export function migrateContract(open: () => Promise<Database>): void {
  let database: Database;
  const base = mkdtempSync(join(tmpdir(), 'portcullis-migrations-'));
  beforeAll(async () => {
    database = await open();
  }, 60_000);
  afterAll(async () => {
    rmSync(base, { recursive: true });
    await database.close();
  });

  /** A migrations directory with these files. */
  function directory(files: Readonly<Record<string, string>>) {
    const path = mkdtempSync(join(base, 'migrations-'));
    const write = (name: string, text: string): void => writeFileSync(join(path, name), text);
    for (const [name, text] of Object.entries(files)) write(name, text);
    return { url: pathToFileURL(`${path}/`), write, remove: (name: string) => rmSync(join(path, name)) };
  }

  const tablesOf = async (schema: string): Promise<string[]> => {
    const { rows } = await sql<{ table_name: string }>`
    select table_name from information_schema.tables where table_schema = ${schema} order by 1`.execute(
      database.schema(schema),
    );
    return rows.map(({ table_name }) => table_name);
  };

  it('makes the schema and applies the files in order; unqualified names mean the schema', async () => {
    const { url } = directory({
      '0002-b.sql': 'insert into people (id) values (1);\nalter table people rename to folk;\n',
      '0001-a.sql': '-- people\ncreate table people (id int primary key);\n',
      'README.md': 'not a migration',
    });
    expect(await migrate(database, 'ordered', url)).toEqual(['0001-a.sql', '0002-b.sql']);
    expect(await tablesOf('ordered')).toEqual(['folk', 'migrations']);
    expect(await tablesOf('public')).toEqual([]);
  });

  it('does nothing the second time', async () => {
    const { url } = directory({ '0001-a.sql': 'create table a (id int);' });
    await migrate(database, 'twice', url);
    expect(await migrate(database, 'twice', url)).toEqual([]);
  });

  it('applies what was added since', async () => {
    const files = directory({ '0001-a.sql': 'create table a (id int);' });
    await migrate(database, 'added', files.url);
    files.write('0002-b.sql', 'create table b (id int);');
    expect(await migrate(database, 'added', files.url)).toEqual(['0002-b.sql']);
  });

  it('is safe to run by several at once', async () => {
    const { url } = directory({
      '0001-a.sql': 'create table a (id int);',
      '0002-b.sql': 'create table b (id int);',
    });
    const runs = await Promise.all([1, 2, 3].map(() => migrate(database, 'at_once', url)));
    expect(runs.flat().sort()).toEqual(['0001-a.sql', '0002-b.sql']);
  });

  it('keeps the services apart', async () => {
    const { url } = directory({ '0001-a.sql': 'create table a (id int);' });
    await Promise.all([migrate(database, 'service_a', url), migrate(database, 'service_b', url)]);
    expect([await tablesOf('service_a'), await tablesOf('service_b')]).toEqual([
      ['a', 'migrations'],
      ['a', 'migrations'],
    ]);
  });

  it('takes a failing file back whole, names it and the statement, and goes on when it was mended', async () => {
    const files = directory({
      '0001-a.sql': 'create table a (id int);',
      '0002-b.sql': 'create table b (id int);\n\n-- oops\ncreate table a (id int);\ncreate table c (id int);',
    });
    await expect(migrate(database, 'mended', files.url)).rejects.toMatchObject({
      name: 'MigrationError',
      message: '0002-b.sql, statement 2: relation "a" already exists',
    });
    expect(await tablesOf('mended')).toEqual(['a', 'migrations']);
    files.write('0002-b.sql', 'create table b (id int);');
    expect(await migrate(database, 'mended', files.url)).toEqual(['0002-b.sql']);
  });

  it('refuses a file that was changed after it was applied, and one that is gone', async () => {
    const files = directory({ '0001-a.sql': 'create table a (id int);', '0002-b.sql': 'create table b (id int);' });
    await migrate(database, 'changed', files.url);
    files.write('0001-a.sql', 'create table a (id bigint);');
    await expect(migrate(database, 'changed', files.url)).rejects.toThrow('0001-a.sql was changed');
    files.write('0001-a.sql', 'create table a (id int);');
    files.remove('0002-b.sql');
    await expect(migrate(database, 'changed', files.url)).rejects.toThrow('0002-b.sql was applied, but');
  });

  it('lets two versions work side by side while the newer one expands, and not once it contracts', async () => {
    const old = directory({ '0001-a.sql': 'create table notes (id int primary key, body text not null);' });
    const newer = directory({
      '0001-a.sql': 'create table notes (id int primary key, body text not null);',
      '0002-title.sql': '-- expand: the version before leaves the title out\nalter table notes add column title text;',
    });
    interface Tables {
      notes: { id: number; body: string; title: Generated<string | null> };
    }
    const notes = database.schema<Tables>('beside');
    await migrate(database, 'beside', old.url);
    let id = 0;
    let migrated = false;
    const serving = (async () => {
      do {
        id += 1;
        await notes
          .insertInto('notes')
          .values({ id, body: `${id}` })
          .execute();
      } while (!migrated);
    })();
    expect(await migrate(database, 'beside', newer.url)).toEqual(['0002-title.sql']);
    migrated = true;
    await serving;
    // a replica of the old version that is started anew, and writes as it always did
    expect(await migrate(database, 'beside', old.url)).toEqual([]);
    await notes
      .insertInto('notes')
      .values({ id: id + 1, body: 'old' })
      .execute();
    await notes
      .insertInto('notes')
      .values({ id: id + 2, body: 'new', title: 't' })
      .execute();
    expect(await notes.selectFrom('notes').select('title').where('id', '>', id).orderBy('id').execute()).toEqual([
      { title: null },
      { title: 't' },
    ]);
    newer.write('0003-body.sql', 'alter table notes drop column body;');
    await migrate(database, 'beside', newer.url);
    await expect(migrate(database, 'beside', old.url)).rejects.toThrow('the data is of a newer version');
  });

  it('keeps the bodies of functions whole', async () => {
    const body = 'create function two() returns int language plpgsql as $$\nbegin\n  return 2;\nend;\n$$;\n';
    await migrate(database, 'bodies', directory({ '0001-a.sql': `${body}create table a (id int);` }).url);
    const { rows } = await sql<{ two: number }>`select bodies.two()`.execute(database.schema('bodies'));
    expect(rows).toEqual([{ two: 2 }]);
  });

  it('leaves the search path of later queries alone', async () => {
    await migrate(database, 'path', directory({ '0001-a.sql': 'create table a (id int);' }).url);
    const { rows } = await sql<{ search_path: string }>`show search_path`.execute(database.schema('path'));
    expect(rows[0]?.search_path).not.toContain('path,');
    await expect(sql`select * from a`.execute(database.schema('path'))).rejects.toThrow('does not exist');
  });

  it('refuses a directory without migrations, a wrong name and a wrong schema', async () => {
    await expect(migrate(database, 'none', directory({}).url)).rejects.toThrow('there are no migrations in');
    await expect(migrate(database, 'none', directory({ '1.sql': '' }).url)).rejects.toThrow('NNNN-name.sql');
    await expect(migrate(database, 'a; drop', directory({}).url)).rejects.toThrow('no name for a schema');
  });
}

import { beforeAll } from '@jest/globals';
import { rules, withGraph, type Broken, type Row } from './rules.fixture.js';

beforeAll(withGraph, 60_000);

const file = 'libs/sql/src/x.sql.ts';
const HEAD = "import { sql } from 'kysely';\nexport const a = (id: string) => ";
const broken = (what: string, text: string, says: RegExp): Broken => [what, file, `${HEAD}${text};\n`, says];
const fine = (what: string, text: string): Row => [what, file, `${HEAD}${text};\n`];

rules(
  'SQL takes values as parameters',
  'sql/parameters-only',
  [
    broken('sql.raw', 'sql.raw(id)', /No finished text/),
    broken('sql.raw of a constant', "sql.raw('select 1')", /No finished text/),
    broken('sql.raw by another spelling', "sql['raw'](id)", /No finished text/),
    broken('sql.raw inside the tag', 'sql`select 1 from ${sql.raw(id)}`', /No finished text/),
    broken('sql.lit of a value', 'sql`select ${sql.lit(id)}`', /sql\.lit takes/),
    broken('sql.lit handed on', '[id].map(sql.lit)', /sql\.lit takes/),
    broken('sql called as a function', "sql(['select ' + id] as never)", /sql is a tag/),
    broken('a template of its own', '`select * from customers where id = ${id}`', /from pieces/),
    broken('a template as the rest of one', '`customers order by ${id}`', /from pieces/),
    broken('a concatenation', "'delete from customers where id = ' + id", /from pieces/),
    broken('a concatenation of three', "'insert into t values (' + id + ')'", /from pieces/),
    broken('a text for the driver', '({ query: (_: string) => 1 }).query(id)', /No finished text/),
    broken('a statement made by hand', '({ executeQuery: (_: object) => 1 }).executeQuery({ sql: id })', /No finished/),
    ['raw, taken out', file, "import { sql } from 'kysely';\nexport const { raw } = sql;\n", /No finished text/],
    [
      'sql by another name',
      file,
      "import { sql as s } from 'kysely';\nexport const a = s`select 1`;\n",
      /sql is a tag/,
    ],
    [
      'the same later',
      file,
      "import { sql } from 'kysely';\nconst s = sql;\nexport const a = s`select 1`;\n",
      /sql is a tag/,
    ],
    ['all of kysely', file, "import * as k from 'kysely';\nexport const a = k.sql`select 1`;\n", /sql is a tag/],
    [
      'CompiledQuery.raw',
      file,
      "import { CompiledQuery } from 'kysely';\nexport const a = (id: string) => CompiledQuery.raw(id);\n",
      /No finished text/,
    ],
    [
      'a template in a file of any kind',
      'apps/mcp-server/src/x.ts',
      'export const a = (id: string) => `select name from customers where id = ${id}`;\n',
      /from pieces/,
    ],
  ],
  [
    fine('the tag with values', 'sql`select * from customers where id = ${id}`'),
    fine('a value that is a template', 'sql`select pg_advisory_xact_lock(hashtext(${`lock/${id}`}))`'),
    fine('an identifier', "sql`select 1 from ${sql.id('tools', id)}`"),
    fine('sql.lit of what is written there', 'sql`select ${sql.lit(false)}, ${id}`'),
    fine('a message', '[sql`select ${id}`, `no customer ${id} to update from here`, "where is " + id]'),
    ['the migrations', 'libs/sql/src/migrate.sql.ts', `${HEAD}sql.raw(id);\n`],
    ['a test', 'libs/sql/src/x.spec.ts', `${HEAD}sql.raw(id);\n`],
  ],
);

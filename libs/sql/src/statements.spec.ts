import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { statements } from './statements.js';

describe('statements', () => {
  it('end at semicolons', () => {
    expect(statements('create table a (id int);\ninsert into a values (1);\n')).toEqual([
      'create table a (id int)',
      'insert into a values (1)',
    ]);
  });

  it('need no semicolon at the end of the file', () => {
    expect(statements('select 1;\nselect 2')).toEqual(['select 1', 'select 2']);
  });

  it.each([
    ['a string', "insert into a values ('x;\ny');"],
    ['a string with a doubled quote', "insert into a values ('it''s;\n');"],
    ['a quoted name', 'create table "a;\nb" (id int);'],
    ['a line comment', 'select 1 -- not here;\n + 1;'],
    ['a line comment with a quote', "select 1 -- it's;\n + 1;"],
    ['a block comment', 'select /* not;\n here */ 1;'],
    ['a nested block comment', 'select /* a /* b; */ c;\n */ 1;'],
    ['a dollar-quoted body', 'create function f() returns int as $$ begin; return 1;\nend; $$ language plpgsql;'],
    ['a tagged body', "do $body$ begin perform 1;\nperform '$$'; end $body$;"],
    ['a parameter-like dollar', 'select a$1;'],
  ])('do not end inside %s', (_, text) => {
    expect(statements(text)).toEqual([text.slice(0, -1)]);
  });

  it('are not made of comments and blanks alone', () => {
    expect(statements('-- nothing here;\n;\n ; /* nor; here */\n')).toEqual([]);
  });

  it('keep the comment before them', () => {
    expect(statements('-- why\nselect 1;')).toEqual(['-- why\nselect 1']);
  });

  it('end with the text when a quote never ends', () => {
    expect(statements("select 'a; b")).toEqual(["select 'a; b"]);
    expect(statements('select /* a; b')).toEqual(['select /* a; b']);
    expect(statements('select $$ a; b')).toEqual(['select $$ a; b']);
  });

  it('come back as they were written', () => {
    const piece = fc.constantFrom(
      "'a;b'",
      '"c;d"',
      '$$e;f$$',
      '$t$ $$; $t$',
      '/* g;h */',
      'word',
      '1',
      '\n',
      ' ',
      '-- i;\n',
    );
    const statement = fc.array(piece, { maxLength: 6 }).map((pieces) => ['select', ...pieces].join(' ').trim());
    fc.assert(
      fc.property(fc.array(statement, { maxLength: 6 }), (list) => {
        expect(statements(list.map((text) => `${text}\n;\n`).join(''))).toEqual(list);
      }),
    );
  });
});

import { describe, expect, it } from '@jest/globals';
import { inOrder, MigrationError, migrationOf, outstanding } from './migrations.js';

const first = migrationOf('0001-first.sql', 'select 1;');
const second = migrationOf('0002-second.sql', 'select 2;');
const third = migrationOf('0003-third.sql', 'select 3;');

describe('the names of migrations', () => {
  it('are put in order', () => {
    expect(inOrder(['0010-b.sql', '0002-a.sql'])).toEqual(['0002-a.sql', '0010-b.sql']);
  });

  it.each(['1-a.sql', '0001.sql', '0001-A.sql', '0001-a.SQL', '0001-a b.sql', 'a.sql'])('%s is refused', (name) => {
    expect(() => inOrder([name])).toThrow(MigrationError);
  });

  it('with the same number twice are refused', () => {
    expect(() => inOrder(['0001-a.sql', '0001-b.sql'])).toThrow('0001-a.sql and 0001-b.sql have the same number');
  });
});

describe('the checksum', () => {
  it('is the same for the line ends of Windows', () => {
    expect(migrationOf('0001-a.sql', 'a\r\nb').checksum).toBe(migrationOf('0001-a.sql', 'a\nb').checksum);
  });

  it('differs for any other change', () => {
    expect(migrationOf('0001-a.sql', 'a ').checksum).not.toBe(migrationOf('0001-a.sql', 'a').checksum);
  });
});

describe('a migration', () => {
  it.each(['commit', 'COMMIT', 'begin', 'start transaction', 'end', 'rollback', '-- why\n/* so */ commit', 'abort'])(
    'may not say "%s", since it runs in a transaction already',
    (statement) => {
      expect(() => migrationOf('0001-a.sql', `select 1;\n${statement};`)).toThrow(
        '0001-a.sql, statement 2: a migration may not begin or end a transaction',
      );
    },
  );

  it('may have bodies and names that do', () => {
    const text = 'do $$ begin perform 1; end; $$;\ncreate table commit_log (id int);\nselect 1 as begin;';
    expect(migrationOf('0001-a.sql', text).statements).toHaveLength(3);
  });
});

describe('what is outstanding', () => {
  it('is everything at first, and nothing at the end', () => {
    expect(outstanding([first, second], [])).toEqual([first, second]);
    expect(outstanding([first, second], [second, first])).toEqual([]);
  });

  it('is what comes after the last one applied', () => {
    expect(outstanding([first, second, third], [first])).toEqual([second, third]);
  });

  it('leaves alone what a newer version applied, while that only expands', () => {
    const expanding = migrationOf('0003-third.sql', '-- expand: a column that may be empty\nselect 3;');
    expect(outstanding([first, second], [first, second, expanding])).toEqual([]);
    expect(() => outstanding([first, second], [first, second, third])).toThrow('the data is of a newer version');
    expect(() => outstanding([first, third], [first, { ...second, expands: true }, third])).toThrow(
      '0002-second.sql was applied, but',
    );
  });

  it('is refused when an applied file was changed', () => {
    expect(() => outstanding([{ ...first, checksum: 'other' }], [first])).toThrow('0001-first.sql was changed');
  });

  it('is refused when an applied file is gone', () => {
    expect(() => outstanding([first], [first, second])).toThrow(
      '0002-second.sql was applied, but there is no such file',
    );
  });

  it('is refused when a new file comes before an applied one', () => {
    expect(() => outstanding([first, second, third], [first, third])).toThrow(
      '0002-second.sql is new, but comes before',
    );
  });
});

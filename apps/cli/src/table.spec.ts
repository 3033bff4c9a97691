import { fields, table, type Column } from './table.js';

interface Row {
  readonly name: string;
  readonly list?: readonly string[] | undefined;
}
const columns: readonly Column<Row>[] = [
  { head: 'name', of: ({ name }) => name },
  { head: 'list', of: ({ list }) => list },
];

test('columns are aligned, lists are joined, and what is missing is a dash', () => {
  expect(table(columns, [{ name: 'a', list: ['x', 'y'] }, { name: 'longer' }])).toBe(
    ['NAME    LIST', 'a       x y', 'longer  -'].join('\n'),
  );
});

test('without rows the headings remain', () => {
  expect(table(columns, [])).toBe('NAME  LIST');
});

test('a long cell goes on in the next line, between words, and an over-long word stays whole', () => {
  const narrow: readonly Column<Row>[] = [{ head: 'name', of: ({ name }) => name, wrapAt: 8 }, ...columns.slice(1)];
  expect(table(narrow, [{ name: 'one two three', list: ['x'] }, { name: 'unbreakable' }])).toBe(
    ['NAME         LIST', 'one two      x', 'three', 'unbreakable  -'].join('\n'),
  );
});

test('a name that carries terminal commands or turns the text around cannot', () => {
  expect(fields(columns, { name: '\u001b[2Jred\u202Eevil\nline' })).toBe('name  ?[2Jred?evil?line\nlist  -');
});

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

test('a name that carries terminal commands or turns the text around cannot', () => {
  expect(fields(columns, { name: '\u001b[2Jred\u202Eevil\nline' })).toBe('name  ?[2Jred?evil?line\nlist  -');
});

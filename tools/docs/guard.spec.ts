import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const page = read('docs/guard.md');

/** The members of an interface, as they are written: one to a line, two spaces in. */
function membersOf(path: string, name: string): string[] {
  const [, body = ''] = new RegExp(`^export interface ${name}\\b.*\\{\\n([^]*?)^\\}`, 'm').exec(read(path)) ?? [];
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??(?::|\()/gm)].map(([, member]) => member!);
}
const sectionOf = (title: string): string => page.split(/^## /m).find((section) => section.startsWith(`${title}\n`))!;
/** What the first column of a section's table names. */
const namedIn = (title: string): string[] =>
  [...sectionOf(title).matchAll(/^\| (`[^|]*)\|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`(\w+)(?![\w.])/g)].map(([, word]) => word!),
  );

test.each([
  ['Settings', 'libs/guard/src/protect.wire.ts', 'ProtectOptions', 29],
  ['A tool', 'libs/guard/src/tool.ts', 'Tool', 17],
] as const)('the table "%s" of docs/guard.md has a row for each member of the source, and none beside', (...words) => {
  const [title, path, name, atLeast] = words;
  const members = membersOf(path, name);
  expect(members.length).toBeGreaterThanOrEqual(atLeast);
  expect(namedIn(title).sort()).toEqual(members.sort());
});

test.each([
  ['libs/guard/src/tool.ts', 'ToolContext', 'context', 3],
  ['libs/guard/src/exchange.ts', 'Exchange', 'exchange', 6],
] as const)('docs/guard.md says what each member of %s, %s, is for', (path, name, word, atLeast) => {
  const members = membersOf(path, name);
  expect(members.length).toBeGreaterThanOrEqual(atLeast);
  const named = [...sectionOf('A tool').matchAll(new RegExp(`\`${word}\\.(\\w+)`, 'g'))].map(([, member]) => member!);
  expect([...new Set(named)].sort()).toEqual(members.sort());
});

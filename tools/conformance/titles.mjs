import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';

/** Between a path, the titles around a test, and its own. */
export const SEPARATOR = ' › ';
const FUNCTIONS = ['describe', 'test', 'it'];

/**
 * The titles of all tests of a spec file as its source has them, each with the titles around it. Those of a contract suite
 * or fixture that it calls by name are among them. `${…}` in a title stays `${…}` without what is inside.
 * @returns {string[]} `describe › test`
 */
export function titlesOf(file, around = [], seen = new Set()) {
  const text = readFileSync(file, 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const shared = sharedSuites(source, file);
  const titles = [];
  const visit = (node, above) => {
    if (ts.isCallExpression(node)) {
      const kind = kindOf(node.expression);
      const title = kind && titleOf(node.arguments[0]);
      if (title !== undefined) {
        const path = [...above, title];
        if (kind === 'describe') node.arguments.slice(1).forEach((argument) => visit(argument, path));
        else titles.push(path.join(SEPARATOR));
        return;
      }
      const suite = ts.isIdentifier(node.expression) && shared.get(node.expression.text);
      const call = `${suite}${SEPARATOR}${above.join(SEPARATOR)}`;
      if (suite && !seen.has(call)) titles.push(...titlesOf(suite, above, new Set([...seen, call])));
    }
    ts.forEachChild(node, (child) => visit(child, above));
  };
  visit(source, around);
  return titles;
}

/** `test`, `test.each(rows)`, `` test.each`rows` `` and the like; a skipped test is none. */
function kindOf(callee) {
  if (ts.isIdentifier(callee)) return FUNCTIONS.find((name) => name === callee.text);
  if (ts.isCallExpression(callee)) return kindOfEach(callee.expression);
  if (ts.isTaggedTemplateExpression(callee)) return kindOfEach(callee.tag);
  return undefined;
}

const kindOfEach = (callee) =>
  ts.isPropertyAccessExpression(callee) && callee.name.text === 'each' ? kindOf(callee.expression) : undefined;

function titleOf(node) {
  if (node === undefined) return undefined;
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node))
    return node.head.text + node.templateSpans.map(({ literal }) => '${…}' + literal.text).join('');
  return undefined;
}

/** Functions that a file takes from a `.contract.ts` or `.fixture.ts` beside it, or makes itself: name -> file. */
function sharedSuites(source, file) {
  const found = new Map();
  for (const statement of source.statements) {
    if (!ts.isImportDeclaration(statement)) continue;
    const from = statement.moduleSpecifier.text;
    if (!/^\.{1,2}\/.*\.contract\.js$/.test(from)) continue;
    const path = join(dirname(file), from.replace(/\.js$/, '.ts'));
    const names = statement.importClause?.namedBindings?.elements ?? [];
    if (existsSync(path)) for (const { name } of names) found.set(name.text, path);
  }
  return found;
}

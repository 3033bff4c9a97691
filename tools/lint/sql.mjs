import { relative, sep } from 'node:path';
import { root } from './projects.mjs';

/**
 * Run the migrations, which are files of ours and say everything in SQL, and carry to the server what the builder and the tag
 * made.
 */
const RUNS_TEXT = [
  'libs/sql/src/migrate.sql.ts',
  'libs/sql/src/lent-connection.sql.ts',
  'libs/sql/src/tenant-query.sql.ts',
];
/** A text of more than one piece that reads like a statement, or the rest of one. */
const STATEMENT =
  /\b(?:select\s[^;]*\sfrom|insert\s+into|update\s+\S+\s+set|delete\s+from|truncate\s+\S+|(?:create|alter|drop)\s+(?:table|index|schema|role|database|view)|order\s+by|group\s+by|union\s+(?:all\s+)?select|where\s+\S+\s*(?:=|<|>|in\b|like\b|is\b))/i;
const CONSTANT = /^[A-Z][A-Z0-9_]*$/;

/**
 * Values reach the database as parameters, and text from outside never becomes part of a statement: Kysely's builder and its
 * `sql` tag make all statements, and whatever would take a finished text is closed. What is left are identifiers, which
 * `sql.id`, `sql.ref` and `sql.table` quote.
 */
const parametersOnly = {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      raw: 'No finished text becomes a statement: say it with the builder or the sql tag, whose values are parameters.',
      literal: 'sql.lit takes what is written here or a CONSTANT; anything else is a parameter.',
      tag: 'sql is a tag for templates, imported by its own name from kysely, and is not passed on.',
      pieces: 'This puts SQL together from pieces. Use the sql tag, whose values are parameters.',
    },
  },
  create(context) {
    const path = relative(root, context.filename).split(sep).join('/');
    if (RUNS_TEXT.includes(path)) return {};
    const say = (node, messageId) => context.report({ node, messageId });
    const isName = (node, name) => node.type === 'Identifier' && node.name === name;
    const isFixed = (node) =>
      node?.type === 'Literal' ||
      (node?.type === 'TemplateLiteral' && node.expressions.length === 0) ||
      (node?.type === 'Identifier' && CONSTANT.test(node.name));
    const isTagged = (node) => node.parent.type === 'TaggedTemplateExpression' && isName(node.parent.tag, 'sql');
    const inSqlFile = path.endsWith('.sql.ts');

    return {
      ImportDeclaration(node) {
        if (node.source.value !== 'kysely' || node.importKind === 'type') return;
        for (const { type, imported, local } of node.specifiers) {
          if (type !== 'ImportSpecifier') say(node, 'tag');
          else if (imported.name === 'sql' && local.name !== 'sql') say(node, 'tag');
        }
      },
      MemberExpression(node) {
        const { object, property, computed, parent } = node;
        const ofSql = isName(object, 'sql') || isName(object, 'CompiledQuery');
        if (ofSql && (computed || property.name === 'raw')) say(node, 'raw');
        if (isName(object, 'sql') && property.name === 'lit') {
          const called = parent.type === 'CallExpression' && parent.callee === node;
          if (!called || !isFixed(parent.arguments[0])) say(node, 'literal');
        }
      },
      CallExpression(node) {
        const { callee, arguments: args } = node;
        if (isName(callee, 'sql')) say(node, 'tag');
        if (callee.type !== 'MemberExpression' || callee.computed) return;
        const takesText = ['query', 'unsafe', 'exec'].includes(callee.property.name);
        if (inSqlFile && takesText && !isFixed(args[0])) say(node, 'raw');
        if (callee.property.name === 'executeQuery' && args[0]?.type === 'ObjectExpression') say(node, 'raw');
      },
      VariableDeclarator({ id, init }) {
        // `const { raw } = sql` and `const s = sql`
        if (init && (isName(init, 'sql') || isName(init, 'CompiledQuery')) && id.type !== 'Identifier')
          say(init, 'raw');
        if (init && isName(init, 'sql') && id.type === 'Identifier') say(init, 'tag');
      },
      TemplateLiteral(node) {
        if (node.expressions.length === 0 || isTagged(node)) return;
        if (STATEMENT.test(node.quasis.map(({ value }) => value.cooked ?? value.raw).join(' x '))) say(node, 'pieces');
      },
      BinaryExpression(node) {
        if (node.operator !== '+' || node.parent.type === 'BinaryExpression') return;
        const pieces = piecesOf(node);
        if (pieces.every((piece) => isFixed(piece) && piece.type !== 'Identifier')) return;
        const text = pieces.map((piece) => (piece.type === 'Literal' ? String(piece.value) : 'x')).join(' ');
        if (STATEMENT.test(text)) say(node, 'pieces');
      },
    };
  },
};

const piecesOf = (node) =>
  node.type === 'BinaryExpression' && node.operator === '+'
    ? [...piecesOf(node.left), ...piecesOf(node.right)]
    : [node];

export const sqlRules = [
  {
    files: ['apps/*/src/**/*.ts', 'libs/*/src/**/*.ts', 'examples/**/*.ts'],
    // tests look at the database past the code they test
    ignores: ['**/*.{spec,contract,fixture}.ts'],
    plugins: { sql: { rules: { 'parameters-only': parametersOnly } } },
    rules: { 'sql/parameters-only': 'error' },
  },
];

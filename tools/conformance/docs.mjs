// Makes docs/conformance.md from the table of requirements; `--check` says whether it is up to date instead.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { bindsUs, isMust, readRequirements } from './requirements.mjs';
import { REVISIONS } from './server-suite.mjs';

const PAGE = join(import.meta.dirname, '../../docs/conformance.md');

const text = await format(page(await readRequirements()), { ...(await resolveConfig(PAGE)), parser: 'markdown' });
if (!process.argv.includes('--check')) writeFileSync(PAGE, text);
else if (read() !== text) {
  process.stderr.write('docs/conformance.md is not what the table says: node tools/conformance/docs.mjs\n');
  process.exitCode = 1;
}

function read() {
  try {
    return readFileSync(PAGE, 'utf8');
  } catch {
    return undefined;
  }
}

/** @param {readonly import('./requirements.mjs').Document[]} documents */
function page(documents) {
  return `<!-- Made by tools/conformance/docs.mjs from tools/conformance/requirements: change those. -->

# Conformance

\`npm run conformance\` runs the suites of the MCP project, and then every test that the tables in \`tools/conformance/requirements\` name. A row whose
test is gone, renamed or fails, fails the run; \`npm test\` checks that each named test is there.

## The suites of the MCP project

The one for authorization servers runs against a gate of its own, with a public client and a scripted browser. The one for
servers runs against mcp-server as production starts it, with the suite's fixture tools, resources and prompts registered
behind the guard; as it knows no tokens, a proxy adds one to each request. \`npm run conformance -- --serve --ready-file FILE\`
serves only that, for other suites and clients. Numbers of scenarios and checks are held to, so that a server that is not there
passes nothing.

| Revision | Required scenarios | Passed | Checks passed |
| --- | --: | --: | --: |
${Object.entries(REVISIONS).map(revisionLine).join('\n')}

What is required and does not pass:

${Object.entries(REVISIONS).flatMap(knownLines).join('\n')}

## The tables

MUSTs are the sentences with MUST, MUST NOT, REQUIRED or SHALL whose subject is the authorization server (in the table for MCP
servers, the resource server), its endpoints, or what it stores, issues or answers; the rows stand for every one of them, some for several that say the same. Tested rows name tests that pass; a row that does not apply, and a
SHOULD that is not followed, say why below. Some rows bind resource servers, or what a client sends, where that is checked.

| Document | MUSTs | Rows | MUST rows | Tested | Not applicable | Open |
| --- | --: | --: | --: | --: | --: | --: |
${documents.map(line).join('\n')}
${line({ title: 'All', musts: sum(documents, ({ musts }) => musts), rows: documents.flatMap(({ rows }) => rows) })}

## What does not apply

${reasons(documents, 'notApplicable')}

## What is open

Each is a SHOULD.

${reasons(documents, 'open')}

## How the MUSTs were counted

${documents.map(({ title, counted }) => `- ${title}: ${counted}.`).join('\n')}
`;
}

function revisionLine([revision, { scenarios, passed, known }]) {
  return `| ${revision} | ${scenarios} | ${scenarios - Object.keys(known).length} | ${passed} |`;
}

function knownLines([revision, { known }]) {
  return Object.entries(known).map(([scenario, { why }]) => `- \`${scenario}\` (${revision}): ${upper(why)}.`);
}

function line({ title, musts, rows }) {
  const count = (which) => rows.filter(which).length;
  const cells = [
    musts,
    rows.length,
    count(isMust),
    count(({ tests }) => tests !== undefined),
    count((row) => !bindsUs(row)),
    count(({ open }) => open !== undefined),
  ];
  return `| ${title} | ${cells.join(' | ')} |`;
}

function sum(list, of) {
  return list.reduce((total, each) => total + of(each), 0);
}

function reasons(documents, key) {
  const rows = documents.flatMap((document) => document.rows.filter((row) => row[key] !== undefined));
  return rows.map((row) => `- \`${row.id}\` (${row.level}): ${row.says} ${upper(row[key])}.`).join('\n');
}

function upper(text) {
  return text[0].toUpperCase() + text.slice(1);
}

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * @typedef {'MUST' | 'MUST NOT' | 'SHOULD' | 'SHOULD NOT' | 'MAY'} Level REQUIRED and SHALL are written MUST
 * @typedef {object} Row
 * @property {string} id `DOCUMENT-SECTION-what`
 * @property {string} section
 * @property {Level} level
 * @property {'authorization server' | 'resource server' | 'client'} binds what a client has to do is in the table where it is checked
 * @property {string} says one sentence in our words
 * @property {number} [statements] how many sentences of the text this row stands for; 1 unless the text repeats itself
 * @property {readonly string[]} [tests] `PATH › describe › test`, titles as the spec file has them, or `mcp-suite › check`
 * @property {string} [notApplicable] why the rule binds nothing of ours
 * @property {string} [open] why a SHOULD is not followed (yet)
 *
 * @typedef {object} Document
 * @property {string} id
 * @property {string} title
 * @property {'authorization server' | 'resource server'} [subject] whose MUSTs are counted; the authorization server's unless given
 * @property {number} musts sentences with MUST, MUST NOT, REQUIRED or SHALL that bind the subject
 * @property {string} counted what was read to count them, and how
 * @property {readonly Row[]} rows
 */

const FOLDER = join(import.meta.dirname, 'requirements');
const LEVELS = ['MUST', 'MUST NOT', 'SHOULD', 'SHOULD NOT', 'MAY'];
const BOUND = ['authorization server', 'resource server', 'client'];

export const isMust = ({ level }) => level === 'MUST' || level === 'MUST NOT';
export const bindsUs = ({ notApplicable }) => notApplicable === undefined;

/** Every document of the table, in the order of their names. @returns {Promise<Document[]>} */
export async function readRequirements() {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.table.ts'));
  const modules = await Promise.all(files.sort().map((file) => import(pathToFileURL(join(FOLDER, file)).href)));
  return modules.map(({ requirements }) => requirements);
}

const subjectOf = ({ subject = 'authorization server' }) => subject;

/** How many statements that bind the document's subject its MUST rows stand for. */
export const mustsCovered = (document) =>
  document.rows
    .filter((row) => isMust(row) && row.binds === subjectOf(document))
    .reduce((sum, { statements = 1 }) => sum + statements, 0);

/**
 * What is wrong with the shape of the table, whatever the tests say.
 * @param {readonly Document[]} documents
 * @returns {string[]}
 */
export function shapeProblems(documents) {
  const seen = new Set();
  return documents.flatMap((document) => {
    const covered = mustsCovered(document);
    const uncounted =
      covered === document.musts
        ? []
        : [`${document.id}: ${document.musts} MUSTs bind ${an(subjectOf(document))}, the rows stand for ${covered}`];
    return [...uncounted, ...document.rows.flatMap((row) => rowProblems(document, row, seen))];
  });
}

const an = (subject) => `${subject.startsWith('a') ? 'an' : 'a'} ${subject}`;

function rowProblems({ id: document }, row, seen) {
  const { id, section, level, binds, says, statements = 1, tests = [], notApplicable, open } = row;
  const problems = [];
  if (!id.startsWith(`${document}-${section}-`)) problems.push('its id does not begin with document and section');
  if (seen.has(id)) problems.push('its id is taken');
  seen.add(id);
  if (!LEVELS.includes(level)) problems.push(`${level} is no level`);
  if (!BOUND.includes(binds)) problems.push(`it binds ${binds}`);
  if (!Number.isInteger(statements) || statements < 1) problems.push('it stands for no statement');
  if (!/^[A-Z“"`].*\.$/s.test(says)) problems.push('it is no sentence');
  const answers = [tests.length > 0, notApplicable !== undefined, open !== undefined].filter(Boolean).length;
  if (answers !== 1) problems.push('it needs one of: tests, notApplicable, open');
  if (open !== undefined && isMust(row)) problems.push('a MUST may not be left open');
  return problems.map((problem) => `${id}: ${problem}`);
}

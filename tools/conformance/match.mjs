import { SEPARATOR } from './titles.mjs';

/**
 * @typedef {{ path: string, titles: string, status: string }} Ran one test as it ran: `describe › test`, rows filled in
 * @typedef {{ ok: boolean, ran: number, why?: string }} Verdict
 */

/** `PATH › describe › test` -> its parts. */
export function partsOf(test) {
  const at = test.indexOf(SEPARATOR);
  return { path: test.slice(0, at), titles: test.slice(at + SEPARATOR.length) };
}

/** What Jest makes of a title of the source: `%s`, `$name` and `${…}` become the values of a row. */
export function patternOf(titles) {
  const holes = /%[psdifjo#$]|\$\{…\}|\$[\w.#]+/g;
  const texts = titles.split(holes).map((text) => RegExp.escape(text.replaceAll('%%', '%')));
  return new RegExp(`^${texts.join('[^]*')}$`);
}

/**
 * Whether a named test ran and passed; of one with rows, every row.
 * @param {string} test
 * @param {readonly Ran[]} ran
 * @returns {Verdict}
 */
export function verdictOn(test, ran) {
  const { path, titles } = partsOf(test);
  const pattern = patternOf(titles);
  const mine = ran.filter((one) => one.path === path && (one.titles === titles || pattern.test(one.titles)));
  if (mine.length === 0) return { ok: false, ran: 0, why: 'no such test ran' };
  const bad = mine.find(({ status }) => status !== 'passed');
  return bad === undefined
    ? { ok: true, ran: mine.length }
    : { ok: false, ran: mine.length, why: `${bad.status}: ${bad.titles}` };
}

import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

const ENOUGH = 80;
const percent = ({ covered, total }) => (total === 0 ? 100 : Math.floor((1000 * covered) / total) / 10);

/**
 * @param file `coverage-summary.json` as Jest's reporter of that name writes it
 * @returns lines to print: totals over the pure files, and each file below 80 % of its statements
 */
export function coverageReport(file, root) {
  if (!existsSync(file)) return ['no coverage was written'];
  const { total, ...files } = JSON.parse(readFileSync(file, 'utf8'));
  // A file of types only has no statement to cover.
  const rows = Object.entries(files).filter(([, { statements }]) => statements.total > 0);
  const thin = rows.filter(([, { statements }]) => percent(statements) < ENOUGH);
  const row = ([path, { statements, branches }]) =>
    `  ${percent(statements).toFixed(1).padStart(5)} %  (branches ${percent(branches).toFixed(1)} %)  ${relative(root, path)}`;
  const worstFirst = ([, a], [, b]) => percent(a.statements) - percent(b.statements);
  return [
    `${rows.length} pure files (drivers, Nest files, main/wire/start, apps/cli and apps/standalone are not counted)`,
    ...['statements', 'branches', 'functions', 'lines'].map(
      (kind) => `  ${kind.padEnd(10)} ${percent(total[kind])} % (${total[kind].covered}/${total[kind].total})`,
    ),
    thin.length === 0
      ? `every one has at least ${ENOUGH} % of its statements covered`
      : `below ${ENOUGH} % of statements:`,
    ...thin.sort(worstFirst).map(row),
  ];
}

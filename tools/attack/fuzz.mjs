// The property of apps/mcp-server/src/fuzz.spec.ts with more cases and another seed.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runSpecs } from '../conformance/specs.mjs';

const SPEC = 'apps/mcp-server/src/fuzz.spec.ts';
const LONGEST_MS = 12 * 60 * 60_000;

/** @returns whether every test held, and what came out; what did not hold is told by Jest, with the smallest case that shows it */
export async function run({ cases, seed }) {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-fuzz-'));
  const file = join(folder, 'fuzz.json');
  try {
    console.log(`> ${cases} cases from seed ${seed}`);
    Object.assign(process.env, { FUZZ_CASES: String(cases), FUZZ_SEED: String(seed), FUZZ_JSON: file });
    const tests = await runSpecs([SPEC], LONGEST_MS);
    const result = { ...JSON.parse(readFileSync(file, 'utf8')), tests };
    const ok = tests.length > 0 && tests.every(({ status }) => status === 'passed');
    tell(result);
    console.log(ok ? 'held' : `FAILED; the same again: npm run attack -- fuzz --cases ${cases} --seed ${seed}`);
    return { ok, result: { ok, ...result } };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function tell({ done, outcomes, statuses, heapBytes, tests }) {
  const counts = (found) =>
    Object.entries(found)
      .sort(([, a], [, b]) => b - a)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ');
  const [settled, end] = heapBytes.map((bytes) => (bytes / 1024 / 1024).toFixed(1));
  console.log(`${done} answered: ${counts(statuses)}`);
  console.log(`on record: ${counts(outcomes)}`);
  console.log(`heap after a tenth ${settled} MB, at the end ${end} MB`);
  for (const { status, titles } of tests) console.log(`${status}: ${titles}`);
}

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { partsOf } from './match.mjs';
import { readRequirements, shapeProblems } from './requirements.mjs';
import { titlesOf } from './titles.mjs';

const root = join(import.meta.dirname, '../..');
const documents = await readRequirements();
const named = documents.flatMap(({ rows }) =>
  rows.flatMap(({ id, tests = [] }) => tests.map((name) => ({ id, name }))),
);

describe('the table of requirements', () => {
  test('covers every document that the gate is built on', () => {
    expect(documents.map(({ id }) => id)).toEqual([
      'mcp-server',
      'mcp',
      'oauth21',
      'rfc6749',
      'rfc6750',
      'rfc7009',
      'rfc7523',
      'rfc7636',
      'rfc7662',
      'rfc8252',
      'rfc8414',
      'rfc8707',
      'rfc9068',
      'rfc9126',
      'rfc9207',
      'rfc9449',
      'rfc9700',
    ]);
  });

  test('has a row for every MUST that was counted, each with tests or a reason', () => {
    expect(shapeProblems(documents)).toEqual([]);
  });

  test('names tests that are there', () => {
    const known = new Map<string, readonly string[]>();
    const gone = named.filter(({ name }) => {
      const { path, titles } = partsOf(name);
      if (path === 'mcp-suite') return !['authorization-server-metadata', 'authorization-code-grant'].includes(titles);
      if (!known.has(path)) known.set(path, existsSync(join(root, path)) ? titlesOf(join(root, path)) : []);
      return !known.get(path)?.includes(titles);
    });
    expect(gone).toEqual([]);
  });
});

test('docs/conformance.md says what the table says', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'docs.mjs'), '--check'], {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '--disable-warning=ExperimentalWarning' },
  });
  expect([status, stderr]).toEqual([0, '']);
});

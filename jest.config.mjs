import { SUFFIXES } from './tools/lint/suffixes.mjs';

const impure = Object.keys(SUFFIXES).filter((suffix) => suffix !== 'pure' && suffix !== 'table');

/** One run over all projects, for tools/test.mjs. `npx nx test PROJECT` runs one of them. */
export default {
  projects: ['<rootDir>/apps/*', '<rootDir>/libs/*', '<rootDir>/tools', '<rootDir>/examples'],
  // Ends what hangs; says nothing about speed, which on a busy machine is anybody's guess (PGlite's first start takes seconds).
  testTimeout: 60_000,
  // Modules loaded as ESM are not given back before the worker ends.
  workerIdleMemoryLimit: '1000MB',
  // Statements, not lines with their comments as V8 counts them. V8's counters also slow the property tests down.
  coverageProvider: 'babel',
  coverageReporters: ['json-summary'],
  // What is to be pure is to be tested whole; drivers and shells have contract suites and end-to-end tests instead. The
  // command line tool and the standalone app are programs of files that may touch the machine.
  collectCoverageFrom: [
    '{libs,apps}/*/src/**/*.ts',
    '!apps/{cli,standalone}/**',
    `!**/*.{${impure.join(',')}}.ts`,
    '!**/src/{main,wire,start}.ts',
  ],
};

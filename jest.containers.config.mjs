import preset from './jest.preset.mjs';

/** The specs that need a container engine. tools/test.mjs runs them where one answers; one by hand: `npx jest -c jest.containers.config.mjs PATTERN`. */
export default {
  ...preset,
  displayName: 'containers',
  rootDir: import.meta.dirname,
  testMatch: ['<rootDir>/{apps,libs}/*/{src,e2e}/**/*.container.spec.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  testTimeout: 120_000,
  globalSetup: '<rootDir>/tools/test/containers-up.mjs',
  globalTeardown: '<rootDir>/tools/test/containers-down.mjs',
};

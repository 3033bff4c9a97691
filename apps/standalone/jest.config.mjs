import preset from '../../jest.preset.mjs';

/** The end-to-end tests start dist/main.js, so the project must be built first. */
export default {
  ...preset,
  displayName: 'standalone',
  rootDir: import.meta.dirname,
  testMatch: ['<rootDir>/src/**/*.spec.ts', '<rootDir>/e2e/**/*.spec.ts'],
};

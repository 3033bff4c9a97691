import preset from '../jest.preset.mjs';

/** The specs start what is built of the examples (examples/dist), as a reader would, so they must be built first. */
export default {
  ...preset,
  displayName: 'examples',
  rootDir: import.meta.dirname,
  testMatch: ['<rootDir>/*/*.spec.ts'],
};

const swc = {
  jsc: {
    target: 'es2023',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true },
    keepClassNames: true,
  },
  module: { type: 'es6' },
  sourceMaps: 'inline',
  swcrc: false,
};

/** What every project's jest.config.mjs spreads. Needs NODE_OPTIONS=--experimental-vm-modules (tools/test.mjs and nx.json set it). */
export default {
  testEnvironment: 'node',
  testTimeout: 60_000,
  testMatch: ['<rootDir>/src/**/*.spec.ts'],
  // they need a container engine: jest.containers.config.mjs
  testPathIgnorePatterns: ['/node_modules/', '\\.container\\.spec\\.ts$'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', swc] },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  testEnvironmentOptions: { customExportConditions: ['@portcullis/source', 'node', 'node-addons'] },
};

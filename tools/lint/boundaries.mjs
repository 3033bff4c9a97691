import nx from '@nx/eslint-plugin';
import { projects } from './projects.mjs';

/**
 * Who may import whom, by the tag `layer:NAME` in each project's package.json:
 * contract <- kit <- app <- composition, and contract <- client. `externals`: the only packages from outside it may have.
 */
const LAYERS = {
  contract: { imports: ['contract'], externals: ['zod', 'zod/*'] },
  kit: { imports: ['contract', 'kit'] },
  client: { imports: ['contract', 'client'] },
  app: { imports: ['contract', 'kit'] },
  composition: { imports: ['contract', 'kit', 'app'] },
  tools: { imports: ['contract', 'kit', 'client', 'app', 'composition'] },
};
/** What the specs and contract suites of any layer may have besides. */
const TEST_PACKAGES = ['@jest/globals', 'fast-check'];

/** Container specs of any project may have the servers of tools/test that are there to be broken. */
const BROKEN_SERVERS = '^(?:\\.\\./)+tools/test/(?:breaking|engine|kafka-container)\\.mjs$';

const apps = projects.filter(({ layer }) => layer === 'app').map(({ name }) => name);

const tag = (layer) => `layer:${layer}`;
const rule = (morePackages, moreFiles = []) => [
  'error',
  {
    // The settings of every app are open to all: they are zod only (the suffix rule sees to that), so nothing else comes
    // along. A pattern with a `*` inside is read as a regular expression here, hence the plain list.
    allow: [...apps.map((app) => `^${app}/config$`), ...moreFiles],
    enforceBuildableLibDependency: false,
    depConstraints: Object.entries(LAYERS).map(([layer, { imports, externals }]) => ({
      sourceTag: tag(layer),
      onlyDependOnLibsWithTags: imports.map(tag),
      ...(externals && { allowedExternalImports: [...externals, ...morePackages] }),
    })),
  },
];

// The later entry replaces the options of the earlier one, it does not add to them.
export const boundaries = [
  { files: ['**/*.ts'], plugins: { '@nx': nx }, rules: { '@nx/enforce-module-boundaries': rule([]) } },
  { files: ['**/*.{spec,contract,fixture}.ts'], rules: { '@nx/enforce-module-boundaries': rule(TEST_PACKAGES) } },
  {
    files: ['**/*.container.spec.ts'],
    rules: { '@nx/enforce-module-boundaries': rule(TEST_PACKAGES, [BROKEN_SERVERS]) },
  },
];

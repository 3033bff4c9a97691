import LongestFirst from './longest-first.mjs';

const order = (paths: readonly string[]): string[] =>
  new LongestFirst().sort(paths.map((path) => ({ path }))).map(({ path }: { path: string }) => path);

test('what takes long begins first; the others follow by name, and none is left out', () => {
  const [fuzz, start, drain] = ['/x/apps/mcp-server/src/fuzz.spec.ts', '/x/e2e/start.spec.ts', '/x/e2e/drain.spec.ts'];
  const [a, b] = ['/x/libs/a/src/a.spec.ts', '/x/libs/b/src/b.spec.ts'];
  expect(order([b, drain, a, start, fuzz])).toEqual([fuzz, start, drain, a, b]);
});

test('paths of Windows are in the same order', () => {
  const [fuzz, a] = ['C:\\x\\apps\\mcp-server\\src\\fuzz.spec.ts', 'C:\\x\\libs\\a\\src\\a.spec.ts'];
  expect(order([a, fuzz])).toEqual([fuzz, a]);
});

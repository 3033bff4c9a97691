/** What takes long begins first, so that no worker is left alone with it at the end. */
const LONG = [
  'mcp-server/src/fuzz.',
  'bus-rights.container',
  'bus.kafka.chaos.container',
  'bus/src/network.container',
  'e2e/start.',
  'mcp-server/src/pressure.',
  'e2e/key-rotation.',
  'e2e/',
  'mcp-server/',
];

/** @param {string} path */
const rank = (path) => {
  const at = LONG.findIndex((part) => path.replaceAll('\\', '/').includes(part));
  return at === -1 ? LONG.length : at;
};

/** For Jest's `testSequencer`: the same order on every machine, whatever ran there before. */
export default class LongestFirst {
  /**
   * @template {{ path: string }} T
   * @param {readonly T[]} tests
   */
  sort(tests) {
    return [...tests].sort((a, b) => rank(a.path) - rank(b.path) || (a.path < b.path ? -1 : 1));
  }

  /** @param {unknown[]} tests */
  shard(tests) {
    return tests;
  }

  allFailedTests() {
    return [];
  }

  cacheResults() {}
}

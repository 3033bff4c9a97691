import { readFile } from 'node:fs/promises';
import { SERVER_INFO } from './about.js';

const read = (name: string): Promise<string> => readFile(new URL(`../../../${name}`, import.meta.url), 'utf8');

test('the server calls itself by the version of the root package.json, its lockfile and the newest entry of the changelog', async () => {
  const { version } = JSON.parse(await read('package.json')) as { version: string };
  const lock = JSON.parse(await read('package-lock.json')) as {
    version: string;
    packages: { '': { version: string } };
  };
  const [, newest] = /^## (\S+)/m.exec(await read('CHANGELOG.md')) ?? [];
  expect([SERVER_INFO.version, lock.version, lock.packages[''].version, newest]).toEqual(Array(4).fill(version));
});

import { describe, expect, it } from '@jest/globals';
import { DatabaseUrlError, pgliteDirectory } from './pglite-url.js';

describe('a DATABASE_URL', () => {
  it.each([
    ['pglite://memory', undefined],
    ['pglite://.portcullis/db', '.portcullis/db'],
    ['pglite:///var/lib/portcullis/db', '/var/lib/portcullis/db'],
    ['pglite://./memory', './memory'],
    ['pglite://C:\\data\\db', 'C:\\data\\db'],
    ['pglite://a dir with spaces', 'a dir with spaces'],
  ])('%s means %p', (url, directory) => {
    expect(pgliteDirectory(url)).toBe(directory);
  });

  it.each([
    ['postgres://portcullis:hunter2@db/portcullis', 'begins with postgres:'],
    ['memory://', 'begins with memory:'],
    ['hunter2', 'has no scheme'],
    ['', 'has no scheme'],
    ['PGLITE://memory', 'begins with PGLITE:'],
    ['pglite://', 'names no directory'],
    ['pglite://  ', 'names no directory'],
    ['pglite://db?hunter2', 'no query'],
    ['pglite://db\0', 'NUL'],
  ])('%p is refused by the name of the setting, and is not repeated', (url, says) => {
    const refused = (): unknown => pgliteDirectory(url);
    expect(refused).toThrow(DatabaseUrlError);
    expect(refused).toThrow('DATABASE_URL');
    expect(refused).toThrow(says);
    expect(refused).not.toThrow('hunter2');
  });
});

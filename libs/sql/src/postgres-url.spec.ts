import { describe, expect, it } from '@jest/globals';
import { DatabaseUrlError } from './pglite-url.js';
import { isPostgresUrl, postgresUrl } from './postgres-url.js';

describe('a postgres:// DATABASE_URL', () => {
  it.each([
    'postgres://auth:p%40ss@db.internal:5432/portcullis?sslmode=verify-full',
    'postgresql://auth@db/portcullis',
    'postgres://auth:p@[::1]:5432/portcullis',
    'postgres:///portcullis?host=/var/run/postgresql&user=auth',
    'postgres://db/portcullis?user=auth',
  ])('may be %s', (url) => {
    expect(isPostgresUrl(url)).toBe(true);
    expect(postgresUrl(url)).toBe(url);
  });

  it.each([
    ['postgres://auth:hunter2@db:port/portcullis', 'can be read'],
    ['postgres://auth:hunter2/x@db/portcullis', 'can be read'],
    ['postgres://auth:hunter2#x@db/portcullis', 'can be read'],
    ['postgres://auth:hunter2@db/portcullis#x', 'fragment'],
    ['postgres://:hunter2@db/portcullis', 'names no role'],
    ['postgres:///hunter2', 'names no host'],
    ['postgres://auth:hunter2@db', 'names no database'],
    ['postgres://auth:hunter2@db/', 'names no database'],
    ['mysql://auth:hunter2@db/x', 'can be read'],
  ])('may not be %s, and is not repeated', (url, says) => {
    const refused = (): unknown => postgresUrl(url);
    expect(refused).toThrow(DatabaseUrlError);
    expect(refused).toThrow(says);
    expect(refused).not.toThrow('hunter2');
  });

  it.each(['pglite://memory', 'POSTGRES://db/x', 'postgres:db', ''])('is not %p', (url) => {
    expect(isPostgresUrl(url)).toBe(false);
  });
});

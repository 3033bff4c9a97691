import { DatabaseUrlError } from './pglite-url.js';

const SCHEMES = ['postgres:', 'postgresql:'];

/** Does this DATABASE_URL name a Postgres server? What else is in it is not looked at. */
export const isPostgresUrl = (url: string): boolean => /^postgres(ql)?:\/\//.test(url);

/**
 * A DATABASE_URL that pg can read. Read here first: the errors of URL and of pg carry the whole text, password and all.
 * @param url `postgres://ROLE:PASSWORD@HOST[:PORT]/DATABASE[?sslmode=…]`, or `postgresql://…`
 * @returns the URL as it was given
 * @throws DatabaseUrlError naming the setting and never quoting the value
 * @see https://www.postgresql.org/docs/17/libpq-connect.html#LIBPQ-CONNSTRING-URIS
 */
export function postgresUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !SCHEMES.includes(parsed.protocol)) {
    throw new DatabaseUrlError(
      'DATABASE_URL is no postgres:// URL that can be read: special characters of the password must be percent-encoded',
    );
  }
  if (parsed.hash !== '') {
    throw new DatabaseUrlError('DATABASE_URL has a fragment: a # in the password must be percent-encoded (%23)');
  }
  if (parsed.hostname === '' && !parsed.searchParams.has('host')) {
    throw new DatabaseUrlError('DATABASE_URL names no host: write postgres://ROLE:PASSWORD@HOST/DATABASE');
  }
  if (parsed.username === '' && !parsed.searchParams.has('user')) {
    throw new DatabaseUrlError('DATABASE_URL names no role: write postgres://ROLE:PASSWORD@HOST/DATABASE');
  }
  if (parsed.pathname.length <= 1) {
    throw new DatabaseUrlError('DATABASE_URL names no database: write postgres://ROLE:PASSWORD@HOST/DATABASE');
  }
  return url;
}

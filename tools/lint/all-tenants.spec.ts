import { expect, test } from '@jest/globals';
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Who asks Postgres over the rows of all tenants, and how often; everybody else is kept to one by the database itself.
 * Another line here is a decision: docs/decisions/0022-the-database-knows-the-tenant.md.
 */
const LISTED = {
  // links that are being made are put on record, whosever they are
  'apps/auth-server/src/bootstrap-links.sql.ts': 1,
  // a request names a client and no tenant; secrets that were replaced are swept; a demo is one of the whole deployment
  'apps/auth-server/src/clients.sql.ts': 1,
  // sweeps
  'apps/auth-server/src/refresh-tokens.sql.ts': 1,
  // what was revoked since is announced on one feed, and forgotten when it is over
  'apps/auth-server/src/revocations.sql.ts': 1,
  // a link names a call that waits, and no tenant; sweeps
  'apps/mcp-server/src/approvals.sql.ts': 1,
  // platform:admin, each use of which is audited
  'apps/security-analytics/src/audit-questions.sql.ts': 1,
  // events come in one batch and go into one feed
  'apps/security-analytics/src/audit-store.sql.ts': 1,
  // migrations
  'libs/sql/src/migrate.sql.ts': 1,
};
const VARIANTS = /^libs\/sql\/src\/(?:database|pglite\.sql|postgres\.sql)\.ts$/;
const TESTS = /\.(?:spec|contract|fixture)\.ts$/;

test('who asks over all tenants is listed', () => {
  const files = globSync('{apps,libs}/*/src/**/*.ts', { cwd: root }).filter(
    (path) => !TESTS.test(path) && !VARIANTS.test(path),
  );
  const uses = files.map((path) => {
    const found = readFileSync(`${root}${path}`, 'utf8').match(/\.(?:everyTenant|unhurried)\b|portcullis\.tenant\b/g);
    return [path, found?.length ?? 0] as const;
  });
  const inFact = Object.fromEntries(uses.filter(([path, n]) => n > 0 && path !== 'libs/sql/src/tenant-query.sql.ts'));
  expect(inFact).toEqual(LISTED);
});

import { randomBytes } from 'node:crypto';
import { DEFAULT_TENANT } from '@portcullis/contract/ids';
import { SettingsError, readSettings, type Env } from '@portcullis/service/settings';
import { readSecretFile } from '@portcullis/service/settings.file';
import { migrate } from '@portcullis/sql/migrate.sql';
import { openDatabase } from '@portcullis/sql/open-database.sql';
import { BOOTSTRAP_PATH, LINK_MINUTES, linkHash, linkToken } from './bootstrap-links.js';
import { sqlBootstrapLinks } from './bootstrap-links.sql.js';
import { config } from './config.js';
import { AUTH } from './tables.js';

/** What the running service is told too; its keys are not needed here. */
const settings = config.pick({ PORTCULLIS_MODE: true, DATABASE_URL: true, AUTH_ISSUER: true });

/** What to print and how to end: 0 done, 1 an administrator is there, 2 wrong use. */
export interface BootstrapAnswer {
  readonly code: 0 | 1 | 2;
  /** the link, when there is one */
  readonly out?: string;
  readonly err?: string;
}

/**
 * Makes the one link for the first administrator of the deployment that the environment describes. Whoever can run this
 * can write its database anyway; the running service serves the page and puts the making of the link on record.
 */
export async function bootstrap(env: Env): Promise<BootstrapAnswer> {
  if (env.PORTCULLIS_MODE === 'embedded') {
    const err =
      "Embedded mode has an administrator already: the local one, whose key lies on this machine. Run 'portcullis user add NAME --role admin'.";
    return { code: 2, err };
  }
  try {
    const { DATABASE_URL, AUTH_ISSUER } = readSettings(settings, env, readSecretFile);
    const database = await openDatabase(DATABASE_URL.reveal(), { onBroken: () => undefined });
    try {
      await migrate(database, AUTH, new URL('../migrations/', import.meta.url));
      const token = linkToken(randomBytes(32));
      const until = Date.now() + LINK_MINUTES * 60_000;
      const made = await sqlBootstrapLinks(database).make(DEFAULT_TENANT, linkHash(token), until);
      if (made) return { code: 0, out: new URL(`${BOOTSTRAP_PATH}/${token}`, AUTH_ISSUER).href };
      return { code: 1, err: 'There is an administrator already: ask them to add you.' };
    } finally {
      await database.close();
    }
  } catch (error) {
    if (error instanceof SettingsError) return { code: 2, err: error.message };
    return { code: 2, err: `The database cannot be used: ${error instanceof Error ? error.message : 'unknown error'}` };
  }
}

import { common } from '@portcullis/service/common';
import { embeddedDefault, keySetting, whenHardened } from '@portcullis/service/setting';
import * as z from 'zod';

/** Settings of the authorization server. Embedded mode keeps the three keys under DATA/keys instead. */
export const config = z
  .object({
    ...common,
    PORT: embeddedDefault(common.PORT, '4400'),
    TOKEN_LIFE_MINUTES: z.coerce
      .number('must be a number of minutes')
      .int('must be a whole number of minutes')
      .min(1, 'must be at least 1')
      .max(60, 'must be at most 60')
      .default(15)
      .describe('minutes an access token is good for, 15 to 60'),
    KEY_ENCRYPTION_KEY: whenHardened(
      keySetting().describe('the key that seals the signing keys in the database: 32 random bytes as base64url'),
    ),
    COOKIE_KEY: whenHardened(
      keySetting().describe('the key that signs login cookies and forms: 32 random bytes as base64url'),
    ),
    SECRET_HASH_KEY: whenHardened(
      keySetting().describe('the key under which client secrets are hashed: 32 random bytes as base64url'),
    ),
  })
  .omit({ REDIS_URL: true, ALLOWED_ORIGINS: true });
export type AuthServerSettings = z.output<typeof config>;

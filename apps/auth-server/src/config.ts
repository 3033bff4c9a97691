import { common } from '@portcullis/service/common';
import {
  allowedHostsSetting,
  embeddedDefault,
  fileSetting,
  keySetting,
  whenHardened,
} from '@portcullis/service/setting';
import { statementKeySetting, statementPublicKeysSetting } from '@portcullis/service/statement-keys';
import { parseTokenAlgorithms, type TokenAlgorithms } from '@portcullis/scopes/algorithms';
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
    TOKEN_ALGORITHMS: z
      .string()
      .default('')
      .transform((text, context): TokenAlgorithms => {
        const algorithms = parseTokenAlgorithms(text);
        if (typeof algorithms !== 'string') return algorithms;
        context.addIssue({ code: 'custom', message: algorithms, input: undefined });
        return z.NEVER;
      })
      .describe('resources whose tokens are not signed with ES256, such as mcp=RS256 analytics=EdDSA'),
    KEY_ROTATION_DAYS: z.coerce
      .number('must be a number of days')
      .int('must be a whole number of days')
      .min(0, 'must be at least 0')
      .max(365, 'must be at most 365')
      .default(30)
      .describe('days a signing key signs before its successor takes over; 0 = until somebody rotates it'),
    OUTSIDE_ALLOWED_HOSTS: allowedHostsSetting().describe(
      'the hosts that URLs given by clients may lie on (keys.example, *.partner.example, keys.example:8443); every public host on port 443 unless given',
    ),
    LOCAL_ADMIN_FILE: fileSetting().describe(
      'embedded mode only: the key file of the local administrator, DATA/admin.json of whoever starts the service',
    ),
    DEMO_FILE: fileSetting().describe(
      'embedded mode only: demo accounts that are brought into the database, as demo.json of whoever starts the service',
    ),
    KEY_ENCRYPTION_KEY: whenHardened(
      keySetting().describe(
        'the key that seals the signing keys in the database: 32 random bytes as base64url, or two: new,old',
      ),
    ),
    COOKIE_KEY: whenHardened(
      keySetting().describe(
        'the key that signs login cookies, forms and DPoP nonces: 32 random bytes as base64url, or two: new,old',
      ),
    ),
    SECRET_HASH_KEY: whenHardened(
      keySetting().describe(
        'the key under which client secrets are hashed: 32 random bytes as base64url, or two: new,old',
      ),
    ),
    STATEMENT_KEY: statementKeySetting(),
    STATEMENT_PUBLIC_KEYS: whenHardened(
      statementPublicKeysSetting().describe(
        'whose statements are believed besides its own: security-analytics=KEY,rate-limiter=KEY, each the public half of the STATEMENT_KEY there, which is logged when it starts; two of one service during rotation',
      ),
    ),
  })
  .omit({ REDIS_URL: true, ALLOWED_ORIGINS: true });
export type AuthServerSettings = z.output<typeof config>;

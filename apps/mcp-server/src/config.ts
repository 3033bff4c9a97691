import { common } from '@portcullis/service/common';
import { embeddedDefault, keySetting, whenHardened } from '@portcullis/service/setting';
import * as z from 'zod';

/** Settings of mcp-server. Embedded mode keeps the digest key under DATA/keys instead. */
export const config = z.object({
  ...common,
  PORT: embeddedDefault(common.PORT, '4401'),
  AUDIT_DIGEST_KEY: whenHardened(
    keySetting().describe(
      'the key under which arguments are digested in audit events, the same for every writer of audit: 32 random bytes as base64url',
    ),
  ),
});
export type McpServerSettings = z.output<typeof config>;

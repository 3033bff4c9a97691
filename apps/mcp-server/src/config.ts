import { common, sharedLimits } from '@portcullis/service/common';
import { limitsService } from '@portcullis/service/limits-service';
import { embeddedDefault, keySetting, portSetting, whenHardened, wholeSetting } from '@portcullis/service/setting';
import * as z from 'zod';

/** Settings of mcp-server. Embedded mode keeps its keys under DATA/keys instead. */
export const config = z.object({
  ...common,
  ...sharedLimits,
  ...limitsService,
  PORT: embeddedDefault(common.PORT, '4401'),
  AUDIT_DIGEST_KEY: whenHardened(
    keySetting().describe(
      'the key under which arguments are digested in audit events, the same for every writer of audit: 32 random bytes as base64url',
    ),
  ),
  STATE_KEY: whenHardened(
    keySetting().describe(
      'the key that signs what clients and browsers carry between two requests of one approval, the same in every replica: 32 random bytes as base64url; during rotation NEW,OLD',
    ),
  ),
  CLAMD_HOST: z
    .string()
    .min(1)
    .optional()
    .describe('the host of clamd, which scans attachments; without one they are not scanned, and say so'),
  CLAMD_PORT: portSetting().default(3310).describe('the port of clamd'),
  MAX_CALLS: wholeSetting(1, 1_000_000)
    .default(512)
    .describe('calls under way at a time, one tenant half of them; beyond that 503 or 429'),
  MAX_CALLS_PER_AGENT: wholeSetting(1, 1_000_000)
    .default(128)
    .describe('calls under way at a time of one principal; the next one is answered 429'),
  MAX_BODY_BYTES: wholeSetting(1024, 64 * 1024 * 1024)
    .default(1024 * 1024)
    .describe('the largest body of one request'),
  MAX_HELD_BYTES: wholeSetting(1024 * 1024, 16 * 1024 * 1024 * 1024)
    .default(64 * 1024 * 1024)
    .describe(
      'bytes of bodies that are read or worked on at a time, one tenant half of them, one principal a quarter; beyond that 503 or 429',
    ),
});
export type McpServerSettings = z.output<typeof config>;

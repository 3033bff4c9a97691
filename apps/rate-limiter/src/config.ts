import { common, sharedLimits } from '@portcullis/service/common';
import { embeddedDefault } from '@portcullis/service/setting';
import { statementKeySetting } from '@portcullis/service/statement-keys';
import * as z from 'zod';

/** Settings of the rate limiter. */
export const config = z
  .object({
    ...common,
    ...sharedLimits,
    PORT: embeddedDefault(common.PORT, '4402'),
    STATEMENT_KEY: statementKeySetting(),
  })
  .omit({
    MCP_RESOURCE: true,
    ANALYTICS_URL: true,
    DATABASE_URL: true,
    DEMO: true,
  });
export type RateLimiterSettings = z.output<typeof config>;

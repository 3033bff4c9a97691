import { common } from '@portcullis/service/common';
import { embeddedDefault } from '@portcullis/service/setting';
import * as z from 'zod';

/** Settings of the rate limiter. */
export const config = z.object({ ...common, PORT: embeddedDefault(common.PORT, '4402') }).omit({
  MCP_RESOURCE: true,
  ANALYTICS_URL: true,
  DATABASE_URL: true,
  KAFKA_BROKERS: true,
  OUTBOX_DIR: true,
  OUTBOX: true,
  OUTBOX_SYNC: true,
  OUTBOX_FULL: true,
  OUTBOX_MAX_BYTES: true,
  DEMO: true,
});
export type RateLimiterSettings = z.output<typeof config>;

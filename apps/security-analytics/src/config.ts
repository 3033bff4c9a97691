import { common } from '@portcullis/service/common';
import { embeddedDefault } from '@portcullis/service/setting';
import { statementKeySetting } from '@portcullis/service/statement-keys';
import * as z from 'zod';

/** Settings of security-analytics. */
export const config = z
  .object({ ...common, PORT: embeddedDefault(common.PORT, '4404'), STATEMENT_KEY: statementKeySetting() })
  .omit({ REDIS_URL: true, DEMO: true });
export type SecurityAnalyticsSettings = z.output<typeof config>;

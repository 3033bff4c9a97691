import { common } from '@portcullis/service/common';
import { embeddedDefault } from '@portcullis/service/setting';
import * as z from 'zod';

/** Settings of security-analytics. */
export const config = z
  .object({ ...common, PORT: embeddedDefault(common.PORT, '4404') })
  .omit({ REDIS_URL: true, DEMO: true });
export type SecurityAnalyticsSettings = z.output<typeof config>;

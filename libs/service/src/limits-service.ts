import * as z from 'zod';
import { serviceKeySetting } from './service-key.js';
import { needing, urlSetting, wholeSetting } from './setting.js';

/** Settings of a service that may ask the rate limiter instead of deciding by itself. */
export const limitsService = {
  LIMITS_URL: needing(urlSetting(), 'SERVICE_CLIENT_ID', 'SERVICE_KEY')
    .optional()
    .describe('the https URL of the rate limiter, where limits are to be decided there; in this process unless given'),
  LIMITS_DEADLINE_MS: wholeSetting(10, 10_000)
    .default(250)
    .describe(
      'milliseconds that the rate limiter may take for a decision; afterwards each limit holds as its rule says',
    ),
  SERVICE_CLIENT_ID: needing(z.string().min(1).max(255), 'SERVICE_KEY')
    .optional()
    .describe('the client as which this service asks LIMITS_URL: of all tenants, good for limits:decide'),
  SERVICE_KEY: needing(serviceKeySetting(), 'SERVICE_CLIENT_ID')
    .optional()
    .describe('the private key of that client as JWK (JSON), P-256 or Ed25519; wanted with LIMITS_URL'),
};
export type LimitsService = z.output<z.ZodObject<typeof limitsService>>;

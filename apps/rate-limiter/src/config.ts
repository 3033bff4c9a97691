import { common, sharedLimits } from '@portcullis/service/common';
import { clientCertificatesSetting } from '@portcullis/service/client-certificates';
import { embeddedDefault, fileSetting, portSetting } from '@portcullis/service/setting';
import { statementKeySetting } from '@portcullis/service/statement-keys';
import * as z from 'zod';

/** Settings of the rate limiter. */
export const config = z
  .object({
    ...common,
    ...sharedLimits,
    PORT: embeddedDefault(common.PORT, '4402'),
    STATEMENT_KEY: statementKeySetting(),
    RULES_FILE: fileSetting().describe(
      'the table of rate limits (JSON), which everybody decides by; it is read again whenever it changes, and taken when its version is higher; the table of the house unless given',
    ),
    GRPC_PORT: embeddedDefault(portSetting().optional(), '4403').describe(
      "the port of Envoy's RateLimitService over gRPC; 0 takes a free one. It is not served unless given",
    ),
    CLIENT_CERTIFICATES: clientCertificatesSetting().describe(
      'who may ask by a client certificate that TLS_CLIENT_CA_FILE signed: NAME=TENANT, or NAME=* for every tenant, comma-separated; NAME is a host or a URI in the certificate',
    ),
  })
  .omit({
    MCP_RESOURCE: true,
    ANALYTICS_URL: true,
    DATABASE_URL: true,
    DATABASE_POOL_MAX: true,
    DATABASE_STATEMENT_TIMEOUT_MS: true,
    DEMO: true,
  });
export type RateLimiterSettings = z.output<typeof config>;

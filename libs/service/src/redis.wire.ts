import type { Log } from '@portcullis/contract/log';
import { openRedis } from '@portcullis/redis/connect.redis';
import type { Redis } from '@portcullis/redis/redis';
import type { CommonSettings } from './common.js';
import { readClientTls } from './tls.file.js';

type Settings = Pick<CommonSettings, Extract<keyof CommonSettings, `REDIS_${string}`>>;

/**
 * The Redis that REDIS_URL names; undefined when it names none.
 * @throws SettingsError for files that cannot be read, RedisUrlError, RedisAway, RedisRefused
 */
export async function openSharedRedis(settings: Settings, service: string, log: Log): Promise<Redis | undefined> {
  if (settings.REDIS_URL === undefined) return undefined;
  return openRedis(settings.REDIS_URL, {
    application: `portcullis-${service}`,
    onBroken: (error) => log.warn('the connection to Redis broke', { error }),
    tls: readClientTls('REDIS_SSL', settings),
  });
}

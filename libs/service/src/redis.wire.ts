import type { Log } from '@portcullis/contract/log';
import { openRedis } from '@portcullis/redis/connect.redis';
import { RedisEvicts, type Redis } from '@portcullis/redis/redis';
import type { CommonSettings } from './common.js';
import { SettingsError } from './settings.js';
import { readClientTls } from './tls.file.js';

type Settings = Pick<CommonSettings, 'PORTCULLIS_MODE' | Extract<keyof CommonSettings, `REDIS_${string}`>>;

/**
 * The Redis that REDIS_URL names; undefined when it names none. One that throws keys away when its memory is full is refused,
 * but for embedded mode, where it is only on record.
 * @throws SettingsError for files that cannot be read and a Redis that throws keys away, RedisUrlError, RedisAway, RedisRefused
 */
export async function openSharedRedis(settings: Settings, service: string, log: Log): Promise<Redis | undefined> {
  const { REDIS_URL: url, REDIS_SENTINEL_USERNAME: name, REDIS_SENTINEL_PASSWORD: password } = settings;
  if (url === undefined) return undefined;
  const hear = (problem: string | undefined): void => {
    if (problem === undefined) log.info('Redis keeps what it was told when its memory is full, again');
    else log.error('Redis would throw away what it was told when its memory is full', { problem });
  };
  try {
    return await openRedis(url, {
      application: `portcullis-${service}`,
      onBroken: (error) => log.warn('the connection to Redis broke', { error }),
      tls: readClientTls('REDIS_SSL', settings),
      ...(name !== undefined && password !== undefined && { sentinelUser: { name, password } }),
      evicting: { refused: settings.PORTCULLIS_MODE !== 'embedded', hear },
    });
  } catch (error) {
    if (!(error instanceof RedisEvicts)) throw error;
    throw new SettingsError([
      { variable: 'REDIS_URL', says: `names a Redis that must not be used: ${error.message}.` },
    ]);
  }
}

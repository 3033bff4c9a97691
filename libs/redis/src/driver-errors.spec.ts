import { describe, expect, it } from '@jest/globals';
import { errorOf } from './driver-errors.js';
import { RedisAway, RedisRefused } from './redis.js';

const reply = (message: string): Error => Object.assign(new Error(message), { name: 'ReplyError' });
const shown = (error: Error): string => `${error.message} ${error.stack} ${JSON.stringify(error)} ${error.cause}`;

describe('errors of the driver', () => {
  it.each([
    [reply('OOM command not allowed when used memory > maxmemory'), 'not_taken'],
    [reply('READONLY You can’t write against a read only replica.'), 'not_taken'],
    [reply('LOADING Redis is loading the dataset in memory'), 'not_taken'],
    [new Error("Stream isn't writeable and enableOfflineQueue options is false"), 'not_connected'],
    [new Error("Cluster isn't ready and enableOfflineQueue options is false"), 'not_connected'],
    [Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' }), 'not_connected'],
    [new Error('Connection is closed.'), 'unanswered'],
    [new Error('Reached the max retries per request limit (which is 0)'), 'unanswered'],
    ['no error at all', 'unanswered'],
  ])('%s is %s', (error, away) => {
    expect(errorOf(error, 'decide')).toMatchObject({ name: 'RedisAway', away });
    expect(errorOf(error, 'decide')).toBeInstanceOf(RedisAway);
  });

  it('an error of a script names the script and the line', () => {
    const error = reply(
      "ERR user_script:12: attempt to index a nil value (local 'hunter2') script: 0a0a, on @user_script:12.",
    );
    expect(errorOf(error, 'decide').message).toBe('Redis refused decide, line 12: ERR');
  });

  it.each([
    "ERR unknown command 'AUTH', with args beginning with: 'mcp' 'hunter2'",
    'WRONGPASS hunter2',
    'hunter2',
    'NOPERM User mcp has no permissions to access the key hunter2',
  ])('%s leaves nothing behind but its first word', (message) => {
    const error = errorOf(
      Object.assign(reply(message), { command: { name: 'auth', args: ['hunter2'] } }),
      'to connect',
    );
    expect(error).toBeInstanceOf(RedisRefused);
    expect(shown(error)).not.toContain('hunter2');
  });
});

import { describe, expect, it } from '@jest/globals';
import { Secret } from '@portcullis/contract/secret';
import { redisUrl, RedisUrlError } from './redis-url.js';

const read = (url: string) => {
  const { user, ...rest } = redisUrl(new Secret(url));
  return { ...rest, user: user && `${user.name}/${user.password.reveal()}` };
};
const one = { kind: 'one', tls: false, db: 0, group: '', user: undefined };

describe('a REDIS_URL', () => {
  it.each([
    ['redis://cache', { ...one, nodes: [{ host: 'cache', port: 6379 }] }],
    ['redis://cache:80/3', { ...one, nodes: [{ host: 'cache', port: 80 }], db: 3 }],
    [
      'rediss://mcp:p%40%2Fss@[::1]:7000',
      { ...one, tls: true, nodes: [{ host: '::1', port: 7000 }], user: 'mcp/p@/ss' },
    ],
    ['redis://:hunter2@cache', { ...one, nodes: [{ host: 'cache', port: 6379 }], user: 'default/hunter2' }],
    [
      'redis+sentinel://mcp:x@a,b:99/main/2',
      {
        ...one,
        kind: 'sentinel',
        nodes: [
          { host: 'a', port: 26379 },
          { host: 'b', port: 99 },
        ],
        db: 2,
        group: 'main',
        user: 'mcp/x',
      },
    ],
    [
      'rediss+cluster://mcp:x@a:1,b:2',
      {
        ...one,
        kind: 'cluster',
        tls: true,
        nodes: [
          { host: 'a', port: 1 },
          { host: 'b', port: 2 },
        ],
        user: 'mcp/x',
      },
    ],
  ])('may be %s', (url, says) => {
    expect(read(url)).toEqual(says);
  });

  it.each([
    ['http://:hunter2@cache', 'is no redis://'],
    ['redis://mcp:hunter2/x@cache', 'no HOST'],
    ['redis://mcp:hunter2#x@cache', 'is no redis://'],
    ['redis://mcp:hunter2?x@cache', 'is no redis://'],
    ['redis://mcp:hunter2%ZZ@cache', 'not percent-encoded'],
    ['redis://hunter2@cache', 'a user and no password'],
    ['redis://:hunter2@', 'no HOST'],
    ['redis://:hunter2@cache:99999', 'no HOST'],
    ['redis://:hunter2@a,b', 'several servers'],
    ['redis://:hunter2@cache/zero', 'no number of a database'],
    ['redis://:hunter2@cache/0/1', 'no number of a database'],
    ['redis+cluster://:hunter2@a,b/1', 'a cluster has none but 0'],
    ['redis+sentinel://:hunter2@a,b', 'no group'],
    [`redis+cluster://:hunter2@${'a,'.repeat(64)}a`, 'more than 64'],
    ['', 'is no redis://'],
  ])('may not be %s, and is not repeated', (url, says) => {
    const refused = (): unknown => redisUrl(new Secret(url));
    expect(refused).toThrow(RedisUrlError);
    expect(refused).toThrow(says);
    expect(refused).not.toThrow('hunter2');
  });
});

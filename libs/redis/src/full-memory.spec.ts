import { describe, expect, it } from '@jest/globals';
import { evictionIn } from './full-memory.js';

const info = (policy: string): string => `# Memory\r\nused_memory:1\r\nmaxmemory_policy:${policy}\r\nmaxmemory:0\r\n`;

describe('servers whose memory is full', () => {
  it('may refuse', () => {
    expect(evictionIn([info('noeviction'), info('noeviction')])).toBeUndefined();
  });

  it.each([
    'allkeys-lru',
    'allkeys-lfu',
    'allkeys-random',
    'volatile-lru',
    'volatile-lfu',
    'volatile-random',
    'volatile-ttl',
  ])('may not throw away what they were told (%s), none of them', (policy) => {
    for (const infos of [[info(policy)], [info('noeviction'), info(policy)]]) {
      expect(evictionIn(infos)).toContain('maxmemory-policy must be noeviction');
      expect(evictionIn(infos)).toContain(`has ${policy}`);
    }
  });

  it('must say what they do', () => {
    expect(evictionIn(['# Memory\r\nused_memory:1\r\n'])).toContain('does not say');
    expect(evictionIn([''])).toContain('must be noeviction');
  });
});

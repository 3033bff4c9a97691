/**
 * What travels on the bus. `key` says what keeps its order; a compacted topic keeps the last message per key, and
 * whoever subscribes later gets those first.
 */
export const TOPICS = {
  'portcullis.events': {
    key: 'tenant/principal',
    compacted: false,
    carries: 'audit and security events (CloudEvents)',
  },
  'portcullis.revocations': {
    key: 'tenant/what/id',
    compacted: true,
    carries: 'what was revoked before its tokens expired (revocation.ts)',
  },
  'portcullis.standing': { key: 'tenant/principal', compacted: true, carries: 'the standing of a principal' },
} as const satisfies Record<string, { key: string; compacted: boolean; carries: string }>;
export type Topic = keyof typeof TOPICS;

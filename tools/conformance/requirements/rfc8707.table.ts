/** RFC 8707, Resource Indicators: what it asks of an authorization server (and of a resource server, where ours is one). */
export const requirements = {
  id: 'rfc8707',
  title: 'RFC 8707, Resource Indicators',
  musts: 0,
  counted: 'in its text; its two MUSTs bind what a client sends',
  rows: [
    {
      id: 'rfc8707-2-absolute',
      section: '2',
      level: 'MUST',
      binds: 'client',
      says: 'A resource that is no absolute URI is invalid_target.',
      tests: ['apps/auth-server/src/token.spec.ts › scopes and resources › %s is 400'],
    },
    {
      id: 'rfc8707-2-fragment',
      section: '2',
      level: 'MUST NOT',
      binds: 'client',
      says: 'A resource with a fragment is invalid_target.',
      tests: ['apps/auth-server/src/token.spec.ts › scopes and resources › %s is 400'],
    },
    {
      id: 'rfc8707-2-audience',
      section: '2',
      level: 'SHOULD',
      binds: 'authorization server',
      says: 'The token is for the resource that was named, and for no other.',
      tests: [
        'apps/auth-server/src/token.spec.ts › scopes and resources › %s',
        'apps/auth-server/src/token.spec.ts › a machine with a secret › gets an RFC 9068 token of 15 minutes with our claims and no task',
      ],
    },
    {
      id: 'rfc8707-2-unknown',
      section: '2',
      level: 'SHOULD',
      binds: 'authorization server',
      says: 'A resource that is none of ours is invalid_target, at both endpoints.',
      tests: [
        'apps/auth-server/src/token.spec.ts › scopes and resources › %s is 400',
        'apps/auth-server/src/authorize.spec.ts › a request that is answered by redirect › %s is %s',
        'apps/auth-server/src/authorize.spec.ts › a code › with %s is refused',
        'apps/auth-server/src/resource-grant.spec.ts › %s is no resource of ours',
      ],
    },
    {
      id: 'rfc8707-2.2-subset',
      section: '2.2',
      level: 'SHOULD',
      binds: 'authorization server',
      says: 'At the token endpoint another resource than the one granted is invalid_target.',
      tests: ['apps/auth-server/src/authorize.spec.ts › a code › with %s is refused'],
    },
    {
      id: 'rfc8707-3-one',
      section: '3',
      level: 'SHOULD',
      binds: 'authorization server',
      says: 'A token has exactly one audience: two resources are invalid_target.',
      tests: [
        'apps/auth-server/src/token.spec.ts › scopes and resources › %s is 400',
        'apps/auth-server/src/authorize.spec.ts › a request that is answered by redirect › %s is %s',
      ],
    },
  ],
};

/** RFC 8252, OAuth 2.0 for Native Apps: what it asks of an authorization server (and of a resource server, where ours is one). */
export const requirements = {
  id: 'rfc8252',
  title: 'RFC 8252, OAuth 2.0 for Native Apps',
  musts: 8,
  counted: 'in its text',
  rows: [
    {
      id: 'rfc8252-6-pkce',
      section: '6',
      level: 'MUST',
      binds: 'authorization server',
      says: 'Public native programs use PKCE.',
      tests: [
        'apps/auth-server/src/authorize.spec.ts › a person and a public client › sign in, say yes, and the code becomes a token of that person for that task',
        'apps/auth-server/src/authorize.spec.ts › PKCE › %s is invalid_request, for a public and for a confidential client',
      ],
    },
    {
      id: 'rfc8252-7-three-options',
      section: '7',
      level: 'MUST',
      binds: 'authorization server',
      says: 'Three kinds of redirect URI are offered to native programs.',
      notApplicable:
        'MCP 2026-07-28 allows only https and loopback redirect URIs (Communication Security): two kinds are offered, private-use schemes are refused',
    },
    {
      id: 'rfc8252-7.3-any-port',
      section: '7.3',
      level: 'MUST',
      binds: 'authorization server',
      says: 'A loopback redirect may name any port.',
      tests: [
        'apps/auth-server/src/authorize.spec.ts › a person and a public client › a program that listens on loopback at %s gets its answer there',
        'apps/auth-server/src/authorize.spec.ts › a person and a public client › sign in, say yes, and the code becomes a token of that person for that task',
      ],
    },
    {
      id: 'rfc8252-8.4-public',
      section: '8.4',
      level: 'MUST',
      binds: 'authorization server',
      says: 'Native programs are registered as public clients.',
      tests: [
        'apps/auth-server/src/admin-api.spec.ts › a client that is added › for people is native when it listens on loopback only, and works in the browser',
      ],
    },
    {
      id: 'rfc8252-8.4-type',
      section: '8.4',
      level: 'MUST',
      binds: 'authorization server',
      says: 'The record of a client says what type it is.',
      statements: 2,
      tests: [
        'apps/auth-server/src/admin-api.spec.ts › a client that is added › for people is native when it listens on loopback only, and works in the browser',
        'apps/auth-server/src/admin-api.spec.ts › a client that is added › with %s is 400 and the field is named',
      ],
    },
    {
      id: 'rfc8252-8.4-exact',
      section: '8.4',
      level: 'MUST',
      binds: 'authorization server',
      says: 'Every client registers whole redirect URIs, and a request with another is refused, but for the port of a loopback address.',
      tests: [
        'apps/auth-server/src/admin-api.spec.ts › a client that is added › with %s is 400 and the field is named',
        'apps/auth-server/src/authorize.spec.ts › a request that must not be answered by redirect › %s is a plain page',
        'apps/auth-server/src/authorize.spec.ts › a person and a public client › a program that listens on loopback at %s gets its answer there',
        'apps/auth-server/src/redirects.spec.ts › %s may be registered',
      ],
    },
    {
      id: 'rfc8252-8.5-shared-secret',
      section: '8.5',
      level: 'MUST',
      binds: 'authorization server',
      says: 'A secret that all copies of a program share proves nothing.',
      notApplicable: 'native programs get no secret at all, see rfc6749-10.1-native-secret',
    },
    {
      id: 'rfc8252-8.1-reject-without-pkce',
      section: '8.1',
      level: 'SHOULD',
      binds: 'authorization server',
      says: 'A request of a native program without PKCE is refused.',
      tests: [
        'apps/auth-server/src/authorize.spec.ts › PKCE › %s is invalid_request, for a public and for a confidential client',
      ],
    },
    {
      id: 'rfc8252-8.4-private-use',
      section: '8.4',
      level: 'SHOULD',
      binds: 'authorization server',
      says: 'A private-use scheme without a dot is refused.',
      tests: ['apps/auth-server/src/redirects.spec.ts › %s may not'],
    },
    {
      id: 'rfc8252-8.6-no-silent',
      section: '8.6',
      level: 'SHOULD NOT',
      binds: 'authorization server',
      says: 'A request of a public client is not allowed without asking, even where it was allowed before.',
      tests: [
        'apps/auth-server/src/authorize.spec.ts › a person and a public client › who is signed in is asked for consent only, and each yes is a task of its own',
      ],
    },
  ],
};

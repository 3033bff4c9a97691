/** RFC 7636, Proof Key for Code Exchange: what it asks of an authorization server (and of a resource server, where ours is one). */
export const requirements = {
  id: 'rfc7636',
  title: 'RFC 7636, Proof Key for Code Exchange',
  musts: 9,
  counted: 'in its text',
  rows: [
    {
      id: 'rfc7636-4.2-s256',
      section: '4.2',
      level: 'MUST',
      binds: 'authorization server',
      says: 'S256 is served and advertised.',
      tests: [
        'apps/auth-server/src/authorize.spec.ts › a person and a public client › sign in, say yes, and the code becomes a token of that person for that task',
        'apps/auth-server/src/metadata.spec.ts › the metadata › says what is served and nothing else (RFC 8414, OpenID Connect Discovery)',
      ],
    },
    {
      id: 'rfc7636-4.4-associate',
      section: '4.4',
      level: 'MUST',
      binds: 'authorization server',
      says: 'The challenge is kept with the code.',
      tests: [
        'apps/auth-server/src/rfc9700-browser.spec.ts › PKCE (§2.1.1, §4.8) › the challenge of one request is of no use for the code of another',
        'apps/auth-server/src/authorize.spec.ts › PKCE › %s at /token is refused',
      ],
    },
    {
      id: 'rfc7636-4.4-hidden',
      section: '4.4',
      level: 'MUST NOT',
      binds: 'authorization server',
      says: 'Neither code nor answer shows the challenge.',
      tests: [
        'apps/auth-server/src/rfc9700-browser.spec.ts › PKCE (§2.1.1, §4.8) › the code and the answer tell nobody the challenge (RFC 7636 §4.4)',
      ],
    },
    {
      id: 'rfc7636-4.4.1-required',
      section: '4.4.1',
      level: 'MUST',
      binds: 'authorization server',
      says: 'A request without a challenge is invalid_request, of whatever client.',
      tests: [
        'apps/auth-server/src/authorize.spec.ts › PKCE › %s is invalid_request, for a public and for a confidential client',
      ],
    },
    {
      id: 'rfc7636-4.4.1-method',
      section: '4.4.1',
      level: 'MUST',
      binds: 'authorization server',
      says: 'A request with another method than S256 is invalid_request.',
      tests: [
        'apps/auth-server/src/authorize.spec.ts › PKCE › %s is invalid_request, for a public and for a confidential client',
      ],
    },
    {
      id: 'rfc7636-4.4.1-explained',
      section: '4.4.1',
      level: 'SHOULD',
      binds: 'authorization server',
      says: 'The error says what is missing.',
      tests: [
        'apps/auth-server/src/authorize.spec.ts › PKCE › %s is invalid_request, for a public and for a confidential client',
        'apps/auth-server/src/rfc6749-requests.spec.ts › a token answer (§5) › neither does one to an authorization request, whatever the %s (§4.1.2.1)',
      ],
    },
    {
      id: 'rfc7636-4.5-same-method',
      section: '4.5',
      level: 'MUST',
      binds: 'authorization server',
      says: 'The verifier is checked by the method of the request.',
      tests: [
        'apps/auth-server/src/authorize.spec.ts › a person and a public client › sign in, say yes, and the code becomes a token of that person for that task',
        'apps/auth-server/src/authorize.spec.ts › PKCE › %s at /token is refused',
      ],
    },
    {
      id: 'rfc7636-4.6-match',
      section: '4.6',
      level: 'MUST',
      binds: 'authorization server',
      says: 'A verifier that fits gets the token.',
      tests: [
        'apps/auth-server/src/authorize.spec.ts › a person and a public client › sign in, say yes, and the code becomes a token of that person for that task',
      ],
    },
    {
      id: 'rfc7636-4.6-mismatch',
      section: '4.6',
      level: 'MUST',
      binds: 'authorization server',
      says: 'A verifier that does not fit is invalid_grant.',
      tests: [
        'apps/auth-server/src/rfc9700-browser.spec.ts › PKCE (§2.1.1, §4.8) › the challenge of one request is of no use for the code of another',
        'apps/auth-server/src/authorize.spec.ts › PKCE › %s at /token is refused',
        'apps/auth-server/src/rfc9700-browser.spec.ts › PKCE (§2.1.1, §4.8) › a verifier is asked for with every code, since every request has a challenge',
      ],
    },
    {
      id: 'rfc7636-7.2-plain',
      section: '7.2',
      level: 'MUST',
      binds: 'authorization server',
      says: 'A plain challenge in the code is encrypted.',
      notApplicable: 'the method plain is refused and codes hold nothing, see rfc7636-4.4-hidden',
    },
    {
      id: 'rfc7636-7.2-no-plain',
      section: '7.2',
      level: 'SHOULD NOT',
      binds: 'authorization server',
      says: 'The method plain is not used.',
      tests: [
        'apps/auth-server/src/authorize.spec.ts › PKCE › %s is invalid_request, for a public and for a confidential client',
        'apps/auth-server/src/metadata.spec.ts › the metadata › says what is served and nothing else (RFC 8414, OpenID Connect Discovery)',
      ],
    },
  ],
};

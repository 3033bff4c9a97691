/** RFC 7009, Token Revocation: what it asks of an authorization server (and of a resource server, where ours is one). */
export const requirements = {
  id: 'rfc7009',
  title: 'RFC 7009, Token Revocation',
  musts: 8,
  counted: 'in its text',
  rows: [
    {
      id: 'rfc7009-2-refresh',
      section: '2',
      level: 'MUST',
      binds: 'authorization server',
      says: 'Refresh tokens can be revoked.',
      tests: [
        'apps/auth-server/src/revocation-endpoint.spec.ts › a refresh token (RFC 7009 §2.1) › takes its grant along: access tokens, those after it, and nothing of another grant of the same person',
        'apps/auth-server/src/revocation-endpoint.spec.ts › a refresh token (RFC 7009 §2.1) › that was used already does so, too',
      ],
    },
    {
      id: 'rfc7009-2-access',
      section: '2',
      level: 'SHOULD',
      binds: 'authorization server',
      says: 'Access tokens can be revoked, JWTs too.',
      tests: [
        'apps/auth-server/src/revocation-endpoint.spec.ts › an access token (RFC 7009 §2.1) › that its client revokes is good no more, and no other token is touched',
        'apps/auth-server/src/revocation-endpoint.spec.ts › an access token (RFC 7009 §2.1) › is refused by our own API with the next request',
        'apps/auth-server/src/revocation-endpoint.spec.ts › an access token (RFC 7009 §2.1) › that is opaque, for /userinfo, is good no more there',
      ],
    },
    {
      id: 'rfc7009-2-url',
      section: '2',
      level: 'MUST',
      binds: 'authorization server',
      says: 'The endpoint has no fragment.',
      tests: [
        'apps/auth-server/src/rfc8414-metadata.spec.ts › every endpoint is https below the issuer, without query or fragment (§2, RFC 6749 §3.1, §3.2)',
      ],
    },
    {
      id: 'rfc7009-2-https',
      section: '2',
      level: 'MUST',
      binds: 'authorization server',
      says: 'Its URL is https.',
      tests: [
        'apps/auth-server/src/rfc8414-metadata.spec.ts › every endpoint is https below the issuer, without query or fragment (§2, RFC 6749 §3.1, §3.2)',
        'apps/auth-server/src/config.spec.ts › hardened mode refuses %s=%s',
      ],
    },
    {
      id: 'rfc7009-2-tls',
      section: '2',
      level: 'MUST',
      binds: 'authorization server',
      says: 'It is served over TLS only.',
      tests: [
        'apps/auth-server/src/config.spec.ts › hardened mode refuses %s=%s',
        'libs/service/src/settings.spec.ts › hardened mode › refuses %s, by its variable and without its value',
        'libs/service/src/nest-app.module.spec.ts › what a request must arrive like › with forced https a plain request is refused, and one that a trusted proxy vouches for is served',
        'libs/service/src/tls.file.spec.ts › a port bound with certificate and key serves https, and closes like another',
      ],
    },
    {
      id: 'rfc7009-2-http',
      section: '2',
      level: 'MUST NOT',
      binds: 'authorization server',
      says: 'No http URL is published for it.',
      tests: [
        'apps/auth-server/src/rfc8414-metadata.spec.ts › every endpoint is https below the issuer, without query or fragment (§2, RFC 6749 §3.1, §3.2)',
      ],
    },
    {
      id: 'rfc7009-2.1-hint',
      section: '2.1',
      level: 'MUST',
      binds: 'authorization server',
      says: 'A token is found whatever the hint says.',
      tests: [
        'apps/auth-server/src/revocation-endpoint.spec.ts › an access token (RFC 7009 §2.1) › may be revoked again, with any hint',
      ],
    },
    {
      id: 'rfc7009-2.1-client',
      section: '2.1',
      level: 'SHOULD',
      binds: 'authorization server',
      says: 'The client is authenticated, and has to be the one the token was issued to.',
      tests: [
        'apps/auth-server/src/revocation-endpoint.spec.ts › at %s › %s is refused in JSON, on record',
        "apps/auth-server/src/revocation-endpoint.spec.ts › nothing happens, and the answer is 200 (RFC 7009 §2.2) › to another client's access or refresh token",
      ],
    },
    {
      id: 'rfc7009-2.1-grant',
      section: '2.1',
      level: 'SHOULD',
      binds: 'authorization server',
      says: 'With a refresh token go the access tokens of its grant.',
      tests: [
        'apps/auth-server/src/revocation-endpoint.spec.ts › a refresh token (RFC 7009 §2.1) › takes its grant along: access tokens, those after it, and nothing of another grant of the same person',
      ],
    },
    {
      id: 'rfc7009-2.1-alone',
      section: '2.1',
      level: 'MAY',
      binds: 'authorization server',
      says: 'With an access token goes no refresh token.',
      tests: [
        'apps/auth-server/src/revocation-endpoint.spec.ts › an access token (RFC 7009 §2.1) › of a person goes alone: the refresh token still gives another one',
      ],
    },
    {
      id: 'rfc7009-2.2-unknown',
      section: '2.2',
      level: 'SHOULD',
      binds: 'authorization server',
      says: 'An unknown or invalid token is answered 200.',
      tests: [
        'apps/auth-server/src/revocation-endpoint.spec.ts › nothing happens, and the answer is 200 (RFC 7009 §2.2) › to %s',
      ],
    },
    {
      id: 'rfc7009-5-guessing',
      section: '5',
      level: 'MUST',
      binds: 'authorization server',
      says: 'Tokens cannot be guessed here either: nothing tells whether one exists.',
      tests: [
        "apps/auth-server/src/revocation-endpoint.spec.ts › nothing happens, and the answer is 200 (RFC 7009 §2.2) › to another client's access or refresh token",
        'apps/auth-server/src/revocation-endpoint.spec.ts › nothing happens, and the answer is 200 (RFC 7009 §2.2) › to %s',
      ],
    },
    {
      id: 'rfc7009-5-denial',
      section: '5',
      level: 'MUST',
      binds: 'authorization server',
      says: 'Nobody can revoke what is not theirs.',
      tests: [
        "apps/auth-server/src/revocation-endpoint.spec.ts › nothing happens, and the answer is 200 (RFC 7009 §2.2) › to another client's access or refresh token",
        'apps/auth-server/src/revocation-endpoint.spec.ts › at %s › %s is refused in JSON, on record',
      ],
    },
  ],
};

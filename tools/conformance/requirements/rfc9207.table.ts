/** RFC 9207, Authorization Server Issuer Identification: what it asks of an authorization server (and of a resource server, where ours is one). */
export const requirements = {
  id: 'rfc9207',
  title: 'RFC 9207, Authorization Server Issuer Identification',
  musts: 6,
  counted: 'in its text',
  rows: [
    {
      id: 'rfc9207-2-iss',
      section: '2',
      level: 'MUST',
      binds: 'authorization server',
      says: 'Every answer to an authorization request names the issuer, errors too.',
      tests: [
        'apps/auth-server/src/authorize.spec.ts › PKCE › %s is invalid_request, for a public and for a confidential client',
        'apps/auth-server/src/authorize.spec.ts › a request that is answered by redirect › %s is %s',
        'apps/auth-server/src/interaction.spec.ts › a person who says no › %s sends the client access_denied, on record',
        'mcp-suite › authorization-code-grant',
      ],
    },
    {
      id: 'rfc9207-2-https',
      section: '2',
      level: 'MUST',
      binds: 'authorization server',
      says: 'The issuer is an https URL without query and fragment.',
      tests: [
        'apps/auth-server/src/config.spec.ts › hardened mode refuses %s=%s',
        'apps/auth-server/src/rfc8414-metadata.spec.ts › the document is 200 and application/json, at the path made of the issuer (§3, §3.2)',
      ],
    },
    {
      id: 'rfc9207-2.3-published',
      section: '2.3',
      level: 'MUST',
      binds: 'authorization server',
      says: 'The issuer is published.',
      tests: [
        'apps/auth-server/src/rfc8414-metadata.spec.ts › the document is 200 and application/json, at the path made of the issuer (§3, §3.2)',
      ],
    },
    {
      id: 'rfc9207-2.3-identical',
      section: '2.3',
      level: 'MUST',
      binds: 'authorization server',
      says: 'It is the issuer of the metadata, character by character.',
      tests: [
        'apps/auth-server/src/rfc6749-requests.spec.ts › an authorization answer (§4.1.2) › keeps the query of the redirect URI that was registered',
        'apps/auth-server/src/rfc8414-metadata.spec.ts › the document is 200 and application/json, at the path made of the issuer (§3, §3.2)',
        'mcp-suite › authorization-code-grant',
      ],
    },
    {
      id: 'rfc9207-2.3-advertised',
      section: '2.3',
      level: 'MUST',
      binds: 'authorization server',
      says: 'The metadata says that answers name the issuer.',
      tests: [
        'apps/auth-server/src/metadata.spec.ts › the metadata › says what is served and nothing else (RFC 8414, OpenID Connect Discovery)',
      ],
    },
    {
      id: 'rfc9207-2.4-id-token',
      section: '2.4',
      level: 'MUST',
      binds: 'authorization server',
      says: 'An ID token from the authorization endpoint has the same issuer.',
      notApplicable: 'no ID token is given at the authorization endpoint: code is the only response type',
    },
  ],
};

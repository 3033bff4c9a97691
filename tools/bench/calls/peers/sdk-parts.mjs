// What both servers on the official SDK share: who may call, by jose.
import { OAuthError, OAuthErrorCode } from '@modelcontextprotocol/server';
import { RESOURCE, SCOPE } from '../shared.mjs';
import { scopesOf, verifyJwt } from './verify.mjs';

const verifier = {
  async verifyAccessToken(token) {
    try {
      const claims = await verifyJwt(token);
      const { client_id, sub, jti, exp } = claims;
      const resource = new URL(RESOURCE);
      return { token, clientId: client_id, scopes: scopesOf(claims), expiresAt: exp, resource, extra: { sub, jti } };
    } catch (error) {
      throw new OAuthError(OAuthErrorCode.InvalidToken, error.message);
    }
  },
};

export const bearer = {
  verifier,
  requiredScopes: [SCOPE],
  expectedResource: new URL(RESOURCE),
  resourceMetadataUrl: 'https://mcp.example.test/.well-known/oauth-protected-resource/mcp',
};

import * as z from 'zod';
import { jsonOf, type Ask } from './ask.js';
import { NotDone } from './faults.js';

/** What a gate publishes about itself, without any login. */
export interface Published {
  /** the MCP server's resource identifier, which is also the URL of its endpoint and the audience of its tokens */
  readonly resource: string;
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly jwksUri: string;
}

/** RFC 9728 §3.2 */
const resourceMetadata = z.object({ resource: z.url(), authorization_servers: z.tuple([z.url()], z.url()) });
/** RFC 8414 §2 */
const serverMetadata = z.object({ issuer: z.url(), token_endpoint: z.url(), jwks_uri: z.url() });

/**
 * From the mcp-server's base to its authorization server's token endpoint.
 * @throws NotDone when a document is missing, or names another issuer than it was found under (RFC 8414 §3.3)
 */
export async function discover(url: string, ask: Ask): Promise<Published> {
  const { resource, authorization_servers } = await document(
    new URL('/.well-known/oauth-protected-resource', url).href,
    resourceMetadata,
    ask,
  );
  const named = authorization_servers[0].replace(/\/$/, '');
  const where = `${named}/.well-known/oauth-authorization-server`;
  const { issuer, token_endpoint, jwks_uri } = await document(where, serverMetadata, ask);
  if (issuer.replace(/\/$/, '') !== named) {
    throw new NotDone(`${where} speaks for ${issuer}, not for ${named}: the gate's AUTH_ISSUER is set wrongly.`);
  }
  return { resource, issuer: named, tokenEndpoint: token_endpoint, jwksUri: jwks_uri };
}

async function document<T extends z.ZodType>(url: string, schema: T, ask: Ask): Promise<z.output<T>> {
  const reply = await ask(url);
  const parsed = schema.safeParse(jsonOf(reply));
  if (reply.status !== 200 || !parsed.success) {
    throw new NotDone(`${url} is not the metadata of a Portcullis gate (HTTP ${reply.status}). Check --url.`);
  }
  return parsed.data;
}

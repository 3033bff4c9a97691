import { Controller, Get, Header, HttpCode, Inject, Options } from '@nestjs/common';
import type { ResourceMetadata } from '@portcullis/guard/mcp/metadata';
import { MCP_PATH } from '@portcullis/service/common';

export const METADATA = Symbol('metadata');

export interface Metadata {
  readonly resource: ResourceMetadata;
  /** @throws Refusal overloaded while the issuer is away */
  readonly issuer: () => Promise<object>;
}

const RESOURCE = ['oauth-protected-resource', `oauth-protected-resource${MCP_PATH}`];
const ISSUER = 'oauth-authorization-server';

/** Public documents; web pages of any origin may read them. */
@Controller('.well-known')
export class MetadataController {
  constructor(@Inject(METADATA) private readonly metadata: Metadata) {}

  @Get(RESOURCE)
  @Header('Access-Control-Allow-Origin', '*')
  @Header('Cache-Control', 'public, max-age=300')
  resource(): ResourceMetadata {
    return this.metadata.resource;
  }

  @Get(ISSUER)
  @Header('Access-Control-Allow-Origin', '*')
  @Header('Cache-Control', 'public, max-age=300')
  issuer(): Promise<object> {
    return this.metadata.issuer();
  }

  /** Clients in browsers send MCP-Protocol-Version here too, which makes them ask first. */
  @Options([...RESOURCE, ISSUER])
  @HttpCode(204)
  @Header('Access-Control-Allow-Origin', '*')
  @Header('Access-Control-Allow-Methods', 'GET')
  @Header('Access-Control-Allow-Headers', 'mcp-protocol-version, accept')
  @Header('Access-Control-Max-Age', '600')
  preflight(): void {}
}

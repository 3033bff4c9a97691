import type { EventLog } from '@portcullis/bus/outbox';
import type { RequestListener } from 'node:http';
import { catalogOf } from './catalog.js';
import { frontDoor } from './door.js';
import type { DoorParts } from './door-parts.js';
import { callLedger } from './ledger.js';
import { mcpListener, type Arrivals } from './listener.http.js';
import { firstScopes, resourceMetadataUrl } from './metadata.js';
import { neighbourhood } from './origins.js';
import { otherMethods, type Served } from './other-methods.js';
import { NO_CHANGES } from './changes.js';
import { resourcesFor, templatesFor } from './resources.js';
import { expectServable } from './servable.js';

/** What the door works with and is not made here. */
type Given = Omit<DoorParts, 'others' | 'ledger' | 'neighbourhood' | 'challenge'>;

export interface EndpointParts extends Given, Arrivals, Pick<Served, 'instructions' | 'extend'> {
  /** URL of the endpoint, which is the one audience of its tokens (RFC 8707) */
  readonly resource: string;
  /** Host values that are served (origins.ts) */
  readonly names: readonly string[];
  /** origins of web pages that may call, besides the endpoint's own */
  readonly origins: readonly string[];
  /** pages of this machine may call */
  readonly loopback: boolean;
  readonly events: EventLog;
  /** 32 bytes */
  readonly auditDigestKey: Uint8Array;
}

export interface McpEndpoint {
  /** takes every request to the endpoint's path, whatever its method, and unread */
  readonly listener: RequestListener;
  close(): Promise<void>;
}

/** The MCP endpoint from its parts: what every server that has one shares, ours and those of others (protect.wire.ts). */
export function mcpEndpoint(parts: EndpointParts): McpEndpoint {
  const { resource, tools, resources, serverInfo, instructions, guard, log, now } = parts;
  expectServable(tools, guard);
  const others = otherMethods(
    {
      serverInfo,
      instructions,
      tools: catalogOf(tools),
      resourceTemplates: (caller) => templatesFor(resources, caller),
      resources: (caller) => resourcesFor(resources, caller),
      changes: parts.changes ?? NO_CHANGES,
      ...(parts.extend && { extend: parts.extend }),
    },
    (error) => log.debug('the MCP SDK reports', { error }),
  );
  const door = frontDoor({
    random: Math.random,
    ...parts,
    others,
    ledger: callLedger({ ...parts, limiter: guard.limiter, now }),
    neighbourhood: neighbourhood(parts),
    challenge: { resourceMetadata: resourceMetadataUrl(resource), scopes: firstScopes(tools) },
  });
  return { listener: mcpListener(door, parts), close: () => others.close() };
}

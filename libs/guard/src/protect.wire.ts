import { randomBytes } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { fileEventLog } from '@portcullis/bus/event-log.file';
import { memoryEventLog, type MemoryEventLogOptions } from '@portcullis/bus/event-log.memory';
import type { EventLog } from '@portcullis/bus/outbox';
import { DEFAULT_TENANT, isTenant } from '@portcullis/contract/ids';
import type { Log } from '@portcullis/contract/log';
import { memoryLimiter } from '@portcullis/limits/limiter.memory';
import { tableOf, type PrincipalRule } from '@portcullis/limits/rules';
import { CUSTOMER_BUDGETS, customerBudget, type CustomerBudgets } from '@portcullis/scopes/caller';
import { redact } from '@portcullis/validators/redact';
import { parseRange } from './addresses.js';
import { chainTable } from './chain.js';
import type { ChainRule } from './chain.table.js';
import { memoryGuard } from './guard.memory.js';
import { driftedTools, expectPinned, type Pins } from './pins.js';
import { jwksUriOf } from './issuer-metadata.http.js';
import { remoteKeys } from './jwks.http.js';
import { mcpEndpoint } from './mcp/endpoint.http.js';
import { resourceMetadata } from './mcp/metadata.js';
import { servedHosts } from './mcp/origins.js';
import { expectServable } from './mcp/servable.js';
import { routes, wholeServer, type Middleware } from './mcp/routes.http.js';
import { newId } from './new-id.memory.js';
import type { GuardPorts } from './pipeline.js';
import { DEFAULT_SLOTS, type SlotBounds } from './slots.js';
import type { TokenRules } from './token.js';
import { toolRegistry, type AnyTool } from './tool.js';

/** What to protect and by whose tokens; all else has a default that is safe. docs/guard.md explains each. */
export interface ProtectOptions {
  /** the authorization server, exactly as its metadata and its tokens name it */
  readonly issuer: string;
  /** public URL of the MCP endpoint; also the one audience of its tokens (RFC 8707) */
  readonly resource: string;
  /** in the order that clients see */
  readonly tools: readonly AnyTool[];
  /** what the server calls itself */
  readonly name?: string;
  readonly version?: string;
  /** said to every model once */
  readonly instructions?: string;
  /** where the issuer's keys lie; looked up in its metadata unless given */
  readonly jwksUri?: string;
  /** `portcullis`: the issuer is an auth-server of this house, whose tokens name tenant, ceiling and task */
  readonly claims?: 'rfc9068' | 'portcullis';
  /** what all callers of a foreign issuer belong to */
  readonly tenant?: string;
  /** what `execute` gets as its second argument */
  readonly depsFor?: GuardPorts['depsFor'];
  /** what one principal may do over all tools; a tool's own figures stand in its definition */
  readonly limits?: Partial<PrincipalRule>;
  /**
   * how many distinct customers, 1 to 10,000, a caller may touch whose token does not say: 10 in a task and 60 an hour unless
   * given; callers of a foreign issuer have no tasks, so the hour alone counts for them
   */
  readonly customerBudget?: Partial<CustomerBudgets>;
  /** how much is taken on at a time */
  readonly slots?: Partial<SlotBounds>;
  /** largest body of one request; 1 MiB unless given */
  readonly maxBodyBytes?: number;
  /** where events go: a file of JSON lines, or a log of the caller's own; the memory of this process unless given */
  readonly events?: { readonly file: string } | EventLog;
  /** is told of each event, where they are kept in memory */
  readonly onEvent?: MemoryEventLogOptions['onEvent'];
  /** 32 bytes: arguments are digested under it in events; random per start unless given */
  readonly auditDigestKey?: Uint8Array;
  /** Host values that are served besides the resource's own */
  readonly hosts?: readonly string[];
  /** origins of web pages that may call besides the resource's own */
  readonly origins?: readonly string[];
  /** addresses and CIDR ranges of proxies whose X-Forwarded-* counts */
  readonly trustedProxies?: readonly string[];
  /** refuse what came neither over TLS nor from a trusted proxy that says https; true for an https resource */
  readonly forceHttps?: boolean;
  /** tools that may not follow others (chain.table.ts); none unless given */
  readonly chain?: readonly ChainRule[];
  /** what was approved of the tools (pins.ts); unless given, they are what they are */
  readonly pins?: Pins;
  /** what is done about tools that are not as they were approved: nothing is started, or they are refused call by call */
  readonly onDrift?: 'stop' | 'refuse';
  /** how people approve calls (approval.ts); needed where a tool has `approvals` */
  readonly approval?: GuardPorts['approval'];
  /** was this token revoked before it expired? Asked on every call */
  readonly isRevoked?: GuardPorts['isRevoked'];
  /** how far this caller is trusted now? Asked on every call */
  readonly stateOf?: GuardPorts['stateOf'];
  /** warnings and errors go to stderr unless given */
  readonly log?: Log;
  /** ms since epoch */
  readonly now?: () => number;
}

/** The guard in front of somebody's own tools. */
export interface Protected {
  /** a node:http server of its own: what is neither the endpoint nor its metadata is 404 */
  readonly listener: RequestListener;
  /** a part of another server (Express, Nest, connect), before anything that reads bodies: passes on what is not its own */
  readonly middleware: Middleware;
  /** ends the event streams and opens no more, for which a server would wait when it closes; calls go on */
  drain(): void;
  /** ends what runs and writes what is unwritten; the server is closed before, by whoever made it */
  close(): Promise<void>;
}

/**
 * Puts the guard before somebody's own tools, with everything it remembers in the memory of this process. The whole
 * pipeline is the one that mcp-server has; nothing is left out.
 * @throws TypeError for URLs that are none, a tenant that is no slug, or an output that says nothing of what is in it; Error for two tools of one name, for tools that
 *   are not as they were approved, or that want an approval nobody could give; RangeError for a proxy that is no address
 *   or a budget outside its bounds
 */
export function protect(options: ProtectOptions): Protected {
  const { issuer, resource, name = 'tools', version = '0.0.0', log = stderrLog, now = Date.now } = options;
  const { pathname, protocol, hostname } = new URL(resource);
  const loopback = ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
  const tools = toolRegistry(options.tools);
  // before anything is opened that a failed start would leave open
  expectServable(tools, { approval: options.approval, redact });
  const events = eventsOf(options);
  const table = tableOf(new Map(options.tools.map(({ name, limit }) => [name, limit])), options.limits);
  const limiter = memoryLimiter({ now, random: randomBytes, table: () => table });
  const rules: TokenRules = {
    issuer,
    audience: resource,
    keys: remoteKeys({ jwksUri: options.jwksUri ?? jwksUriOf(issuer), now }),
    customerBudget: budgetsOf(options),
    foreignTenant: options.claims === 'portcullis' ? undefined : tenantOf(options),
    now,
  };
  const { guard, running, streams } = memoryGuard({
    rules,
    isRevoked: options.isRevoked ?? (() => false),
    stateOf: options.stateOf ?? (() => 'Normal'),
    limiter,
    slots: { ...DEFAULT_SLOTS, ...options.slots },
    approval: options.approval,
    chain: chainTable(options.chain ?? []),
    drifted: driftedOf(options),
    depsFor: options.depsFor ?? (() => undefined),
    now,
  });
  const serverInfo = { name, version };
  const arrivals = {
    names: servedHosts(resource, options.hosts ?? [], loopback),
    trustedProxies: (options.trustedProxies ?? []).map(parseRange),
    forceHttps: options.forceHttps ?? protocol === 'https:',
  };
  const endpoint = mcpEndpoint({
    resource,
    ...arrivals,
    origins: options.origins ?? [],
    loopback,
    guard,
    streams,
    tools,
    resources: [],
    serverInfo,
    instructions: options.instructions ?? '',
    ...(options.maxBodyBytes !== undefined && { maxBodyBytes: options.maxBodyBytes }),
    events,
    auditDigestKey: options.auditDigestKey ?? randomBytes(32),
    newId,
    now,
    log,
  });
  const middleware = routes(pathname, endpoint.listener, resourceMetadata(resource, issuer, tools, name), arrivals);
  let closed: Promise<void> | undefined;
  return {
    listener: wholeServer(middleware),
    middleware,
    drain: () => streams.close(),
    close: () =>
      (closed ??= (async () => {
        streams.close();
        running.stopAll();
        await endpoint.close();
        await Promise.all([limiter.close(), events.close()]);
      })()),
  };
}

function tenantOf({ tenant = DEFAULT_TENANT }: ProtectOptions): string {
  if (!isTenant(tenant)) throw new TypeError('a tenant is a slug: 1 to 32 of a-z, 0-9 and -');
  return tenant;
}

function budgetsOf({ customerBudget: given }: ProtectOptions): CustomerBudgets {
  const budgets = { ...CUSTOMER_BUDGETS, ...given };
  // a budget that is no number would never be over
  if (![budgets.perTask, budgets.perHour].every((budget) => customerBudget.safeParse(budget).success))
    throw new RangeError('a budget of customers is a whole number from 1 to 10,000');
  return budgets;
}

function eventsOf({ events, onEvent }: ProtectOptions): EventLog {
  if (events === undefined) return memoryEventLog({ service: 'mcp-tools', newId, onEvent });
  return 'file' in events ? fileEventLog({ path: events.file, service: 'mcp-tools', newId }) : events;
}

/** Who runs a small server reads its stderr; what is no trouble is not said there. */
const stderrLog: Log = {
  debug: () => {},
  info: () => {},
  warn: (message, facts) => console.warn(message, facts),
  error: (message, facts) => console.error(message, facts),
};

/** @throws Error naming the tools that are not as they were approved, unless they are to be refused call by call */
function driftedOf({ tools, pins, onDrift = 'stop' }: ProtectOptions): ReadonlySet<string> {
  if (pins === undefined) return new Set();
  if (onDrift === 'stop') expectPinned(tools, pins, 'Compare with what pinsOf(tools) of @portcullis/guard/pins gives.');
  return driftedTools(tools, pins);
}

import {
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type GrpcObject,
  type handleUnaryCall,
  type Metadata,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { Log } from '@portcullis/contract/log';
import type { TlsFiles } from '@portcullis/service/listener.http';
import { Buffer } from 'node:buffer';
import { fileURLToPath } from 'node:url';
import { admission, type RpcArrivals } from './admission.grpc.js';
import type { Known } from './asker.js';
import { MAX_BODY } from './bounds.js';
import type { RateLimitRequest } from './descriptors.js';
import type { RateLimitResponse } from './envoy-reply.js';
import { closePort, connectionsGone, takeConnections, type GrpcPort } from './grpc-port.http.js';
import { rpcProblems } from './rpc-problem.grpc.js';
import { shouldRateLimit, type EnvoyPorts } from './should-rate-limit.js';

export interface RateLimitServiceParts
  extends EnvoyPorts, Pick<RpcArrivals, 'askerOf' | 'forceHttps' | 'trustedProxies' | 'observe'> {
  readonly tls?: TlsFiles | undefined;
  readonly log: Log;
  /** UUIDv7 */
  newId(): string;
  readonly messageMs?: number;
  readonly mostCalls?: number;
}

const PROTOS = fileURLToPath(new URL('../protos', import.meta.url));
const SERVICE = 'envoy.service.ratelimit.v3.RateLimitService';
let loaded: GrpcObject | undefined;
/** The published definition; see protos/SOURCE.md. */
export const rateLimitService = (): GrpcObject =>
  (loaded ??= loadPackageDefinition(
    loadSync('envoy/service/ratelimit/v3/rls.proto', {
      includeDirs: [PROTOS],
      longs: Number,
      enums: String,
      defaults: true,
    }),
  ));

const BOUNDS = {
  // unpacked, too
  'grpc.max_receive_message_length': MAX_BODY,
  'grpc.max_concurrent_streams': 256,
  // megabytes of one connection
  'grpc-node.max_session_memory': 10,
  'grpc.max_connection_idle_ms': 600_000,
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 20_000,
  'grpc.enable_channelz': 0,
};

/**
 * Serves Envoy's RateLimitService v3 on a port that is already bound: nothing else, no reflection and no health service.
 * @returns what ends it: no more connections and calls, those under way have `graceMs`, the rest is cut
 */
export function serveRateLimits(port: GrpcPort, parts: RateLimitServiceParts): (graceMs: number) => Promise<void> {
  const { tls, log, newId, messageMs = 5_000, mostCalls = 4_096, ...arrivals } = parts;
  const knownBy = new WeakMap<Metadata, Known>();
  const problemOf = rpcProblems(log, newId);
  const first = admission({ ...arrivals, messageMs, mostCalls, secure: tls !== undefined }, knownBy, problemOf);
  const server = new Server({ ...BOUNDS, interceptors: [first] });
  const answer: handleUnaryCall<RateLimitRequest, RateLimitResponse> = ({ request, metadata }, answered) => {
    const decide = async (): Promise<RateLimitResponse> => {
      const known = knownBy.get(metadata)!;
      known.expectStill();
      return shouldRateLimit(request, known.asker, parts);
    };
    decide().then(
      (reply) => answered(null, reply),
      (error: unknown) => answered(problemOf(error)),
    );
  };
  server.addService(definitionOf(rateLimitService()), { ShouldRateLimit: answer });
  const connections = server.createConnectionInjector(credentialsOf(tls));
  takeConnections(port, (socket) => connections.injectConnection(socket));
  return async (graceMs) => {
    await closePort(port);
    // tells each connection to end after its calls; when it says that they have, it has not waited for them (on Node 24)
    server.tryShutdown(() => {});
    await connectionsGone(port, graceMs);
  };
}

function definitionOf(loaded: object): ServiceDefinition {
  const inside = (at: unknown, name: string): unknown => (at as Readonly<Record<string, unknown>>)[name];
  return [...SERVICE.split('.'), 'service'].reduce(inside, loaded) as ServiceDefinition;
}

function credentialsOf(tls: TlsFiles | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const pair = { private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.cert) };
  return ServerCredentials.createSsl(tls.ca ? Buffer.from(tls.ca) : null, [pair], tls.ca !== undefined);
}

/** Offsets from the port base; management ports lie 100 higher. */
const PORT_OFFSETS = { authServer: 0, mcpServer: 1, rateLimiter: 2, analytics: 4 } as const;
const MANAGEMENT_OFFSET = 100;
/** Of the rate limiter, too. */
const GRPC_OFFSET = 3;

export type ServiceName = keyof typeof PORT_OFFSETS;

/** The ports of a service; with base 0 both are 0, which takes free ones. */
export const portsOf = (base: number, service: ServiceName): { api: number; management: number } => {
  if (base === 0) return { api: 0, management: 0 };
  const api = base + PORT_OFFSETS[service];
  return { api, management: api + MANAGEMENT_OFFSET };
};

/** The rate limiter's gRPC port, which is a free one with base 0. */
export const grpcPortOf = (base: number): number => (base === 0 ? 0 : base + GRPC_OFFSET);

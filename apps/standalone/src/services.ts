/** Offsets from the port base; management ports lie 100 higher. + 3 is the rate limiter's gRPC port, when it has one. */
const PORT_OFFSETS = { authServer: 0, mcpServer: 1, rateLimiter: 2, analytics: 4 } as const;
const MANAGEMENT_OFFSET = 100;

export type ServiceName = keyof typeof PORT_OFFSETS;

/** The ports of a service; with base 0 both are 0, which takes free ones. */
export const portsOf = (base: number, service: ServiceName): { api: number; management: number } => {
  if (base === 0) return { api: 0, management: 0 };
  const api = base + PORT_OFFSETS[service];
  return { api, management: api + MANAGEMENT_OFFSET };
};

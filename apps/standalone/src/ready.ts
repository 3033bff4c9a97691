/** What the ready file says: where each part of the running gate is. A part that is not there yet is null. */
export interface Ready {
  readonly authServer: string;
  readonly mcpServer: string;
  /** URL of the MCP endpoint */
  readonly mcp: string;
  readonly rateLimiter: string;
  /** `host:port` */
  readonly rateLimiterGrpc: string | null;
  readonly analytics: string;
  readonly console: null;
  readonly management: {
    readonly authServer: string;
    readonly mcpServer: string;
    readonly rateLimiter: string;
    readonly analytics: string;
  };
  /** path of demo.json; null with --no-demo */
  readonly demo: string | null;
  /** path of the local administrator's key */
  readonly admin: string;
  readonly pid: number;
}

/** What a person sees once everything is up. */
export const banner = (ready: Ready, data: string | undefined): string => `
  Portcullis is up   EMBEDDED mode: for one machine, not for production

  MCP endpoint         ${ready.mcp}
  auth-server          ${ready.authServer}
  rate-limiter         ${ready.rateLimiter}
  security-analytics   ${ready.analytics}
  data                 ${data ?? 'none kept (--ephemeral)'}

  Try next, in another terminal:
    npx portcullis demo          agents admitted, refused, limited and contained
    npx portcullis agent list    who is in which state
    npx portcullis audit tail    what was recorded
${ready.demo === null ? '' : `  Demo clients and users: ${ready.demo}\n`}  Ctrl-C stops it.
`;

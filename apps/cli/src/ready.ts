import * as z from 'zod';

/**
 * What a running gate says about itself (`ready.json`): base URLs without a trailing slash, paths of files. A part that
 * is not there yet is null. Loose, since later versions say more.
 */
const base = z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/$/, ''));
export const readyFile = z.looseObject({
  authServer: base,
  mcpServer: base,
  /** URL of the MCP endpoint */
  mcp: z.url({ protocol: /^https?$/ }),
  rateLimiter: base,
  analytics: base,
  management: z.record(z.string(), base),
  /** path of the local administrator's key; null or absent where there is none (outside embedded mode) */
  admin: z.string().nullish(),
  pid: z.int().positive().optional(),
});
export type Ready = z.output<typeof readyFile>;

/** The one MCP server that `--url` names: scheme, host and port, without a path. */
export const sameServer = (a: string, b: string): boolean => URL.parse(a)?.origin === URL.parse(b)?.origin;

/**
 * The first URL (or `host:port`) in a ready file, at any depth, that leaves this machine. The administrator's key must
 * not be used with such a file.
 */
export function urlBeyondLoopback(value: unknown): string | undefined {
  if (typeof value === 'string') return isAddress(value) && !isLoopback(value) ? value : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.values(value)
    .map(urlBeyondLoopback)
    .find((found) => found !== undefined);
}

const isAddress = (text: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(text) || /^[^/\\\s]+:\d{1,5}$/.test(text);

/** 127.0.0.0/8, ::1 and the name localhost (RFC 6761 §6.3). */
export function isLoopback(address: string): boolean {
  const host = URL.parse(address.includes('://') ? address : `http://${address}`)?.hostname;
  return host !== undefined && (host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host));
}

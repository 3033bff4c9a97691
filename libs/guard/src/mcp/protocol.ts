/** Two ways of speaking MCP: stateless with everything in each request, and before that with an `initialize` handshake. */
export type Era = 'modern' | 'legacy';

/** The revisions this server speaks, the newest first. */
export const REVISIONS = {
  '2026-07-28': 'modern',
  '2025-11-25': 'legacy',
  '2025-06-18': 'legacy',
  '2025-03-26': 'legacy',
} as const satisfies Record<string, Era>;
export type Revision = keyof typeof REVISIONS;
export const SUPPORTED = Object.keys(REVISIONS) as Revision[];
export const LEGACY = SUPPORTED.filter((revision) => REVISIONS[revision] === 'legacy');
export const isRevision = (value: string | undefined): value is Revision =>
  value !== undefined && Object.hasOwn(REVISIONS, value);

/** What a request without MCP-Protocol-Version speaks (MCP 2025-11-25, basic/transports, protocol version header). */
export const UNSAID: Revision = '2025-03-26';

/** Which requests a server answers, by era. */
export type Methods = Readonly<Record<string, readonly Era[]>>;

/** The requests a server with tools and resources answers. What is not here is unknown: completions, prompts, logging. */
export const METHODS: Methods = {
  'server/discover': ['modern'],
  initialize: ['legacy'],
  ping: ['legacy'],
  'tools/list': ['modern', 'legacy'],
  'tools/call': ['modern', 'legacy'],
  'resources/list': ['modern', 'legacy'],
  'resources/templates/list': ['modern', 'legacy'],
  'resources/read': ['modern', 'legacy'],
  'subscriptions/listen': ['modern'],
};
export const isServed = (methods: Methods, method: string, era: Era): boolean =>
  Object.hasOwn(methods, method) && methods[method]!.includes(era);

/** What a server calls itself (MCP 2026-07-28, schema `Implementation`). */
export interface ServerInfo {
  readonly name: string;
  readonly title?: string;
  readonly version: string;
}

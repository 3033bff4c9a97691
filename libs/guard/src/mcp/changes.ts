/** What a server may say of itself to those who listen (MCP 2026-07-28, basic/patterns/subscriptions). */
export const CHANGES = {
  toolsListChanged: 'notifications/tools/list_changed',
  promptsListChanged: 'notifications/prompts/list_changed',
  resourcesListChanged: 'notifications/resources/list_changed',
} as const;
export type Change = keyof typeof CHANGES;

/** Which lists of a server change while it runs, and when. Ours never do. */
export interface Changes {
  readonly kinds: ReadonlySet<Change>;
  /** @returns a way to stop listening */
  subscribe(heard: (change: Change) => void): () => void;
}

export const NO_CHANGES: Changes = { kinds: new Set(), subscribe: () => () => {} };

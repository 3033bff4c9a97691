/** What a scanner for harmful files says of one. */
export type Scanned = 'clean' | 'infected' | 'not_scanned';

/** Asks whether a file is harmful. */
export interface Scanner {
  /** @throws Refusal overloaded when a scanner is there and gives no answer, so that nothing passes it unseen */
  scan(bytes: Uint8Array, signal: AbortSignal): Promise<Scanned>;
  /** 'ok', or in a few words what is not, for /readyz */
  state(): Promise<string>;
}

/** Where there is none: it says so of every file. */
export const noScanner: Scanner = {
  scan: async () => 'not_scanned',
  state: async () => 'none configured',
};

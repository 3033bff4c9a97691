import type { KeptToken, Presenter } from './refresh-rotation.js';

/** What a refresh token stands for. */
export interface RefreshGrant {
  readonly grantId: string;
  readonly clientId: string;
  readonly accountId: string;
  readonly jkt: string | undefined;
  /** JSON, as oidc-provider keeps it, without the token */
  readonly payload: string;
  /** ms since epoch */
  readonly expiresAt: number;
}

/** `gone`: the tenant has no such token, or its grant has ended meanwhile. */
export type Rotation =
  | { readonly outcome: 'rotated' | 'repeated'; readonly token: string }
  | { readonly outcome: 'refused' | 'ended'; readonly why: string }
  | { readonly outcome: 'gone' };

/**
 * The refresh tokens, by their hash. A token that the tenant does not have is unknown, whoever else has it. Must pass
 * refresh-tokens.contract.ts.
 */
export interface RefreshTokens {
  /** Adds the first token of a family. @returns false when the grant has ended, and nothing was added */
  add(tenant: string, token: string, grant: RefreshGrant): Promise<boolean>;
  /** @param now ms since epoch; what has expired by then is not found */
  find(tenant: string, token: string, now: number): Promise<(RefreshGrant & KeptToken) | undefined>;
  /**
   * Judges the token (refresh-rotation.ts) and, as that says, exchanges it for `successor`, all at once: of any number who
   * present it, over all replicas, one gets it exchanged, and the others get the same successor.
   * On `ended` and `refused` nothing has changed; the caller ends the family.
   * @param successor its token and what it stands for, used only when the outcome is `rotated`
   * @param now       ms since epoch; what has expired by then is gone
   */
  rotate(
    tenant: string,
    token: string,
    by: Presenter,
    successor: { readonly token: string; readonly payload: string },
    now: number,
  ): Promise<Rotation>;
  /** Drops one token, as if it had never been. */
  remove(tenant: string, token: string): Promise<void>;
  /** Drops all tokens of a grant. */
  removeOfGrant(tenant: string, grantId: string): Promise<void>;
  /** Forgets the sealed successors of tokens whose window is over. */
  dropSeals(): Promise<void>;
  /** Drops what had expired by `now` (ms since epoch). @returns how many tokens are gone */
  sweep(now: number): Promise<number>;
}

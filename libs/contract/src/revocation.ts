import * as z from 'zod';
import { isTenant } from './ids.js';

/**
 * What can be revoked before it expires, from one token to everything of a person. `standing` ones end what was issued up
 * to `at`: a client or person may be given new tokens afterwards. A token or a grant is dead for good.
 */
export const REVOCABLE = {
  token: { names: 'one access token, by its jti', standing: false },
  grant: {
    names: 'a grant (claim `grant_id`): every token that came of one consent, a refresh family',
    standing: false,
  },
  principal: { names: 'an agent, by its principal id', standing: true },
  client: { names: 'a client with all its users, by client_id', standing: true },
  user: { names: 'a person with all their clients, by sub', standing: true },
} as const satisfies Record<string, { names: string; standing: boolean }>;
export type Revocable = keyof typeof REVOCABLE;

/** What auth-server says on `portcullis.revocations`; one per (tenant, what, id), the last one counts. */
export const revocationSchema = z.object({
  tenant: z.string().refine(isTenant),
  what: z.enum(Object.keys(REVOCABLE) as [Revocable, ...Revocable[]]),
  id: z.string().min(1).max(255),
  /** RFC 3339, UTC, ms: when it was revoked */
  at: z.iso.datetime({ precision: 3 }),
  /** RFC 3339, UTC, ms: by then the last token it ends has expired, and it may be forgotten */
  until: z.iso.datetime({ precision: 3 }),
});
export type Revocation = z.output<typeof revocationSchema>;

/** What a revocation is matched with; an access token says all of it. */
export interface RevocableToken {
  readonly tenant: string;
  readonly tokenId: string;
  readonly grantId: string | undefined;
  readonly principal: string;
  readonly clientId: string;
  readonly sub: string | undefined;
  /** seconds since epoch */
  readonly issuedAt: number;
}

/** The ids under which a token can have been revoked. */
export const revocableIds = (token: RevocableToken): readonly (readonly [Revocable, string])[] => [
  ['token', token.tokenId],
  ...(token.grantId === undefined ? [] : ([['grant', token.grantId]] as const)),
  ['principal', token.principal],
  ['client', token.clientId],
  ...(token.sub === undefined ? [] : ([['user', token.sub]] as const)),
];

/**
 * Does the revocation, found under one of {@link revocableIds}, end this token? `iat` counts whole seconds, so what was
 * issued in the very second of a standing revocation is taken as issued before it.
 */
export const endsToken = ({ what, at }: Pick<Revocation, 'what' | 'at'>, issuedAt: number): boolean =>
  !REVOCABLE[what].standing || issuedAt <= Math.floor(Date.parse(at) / 1000);

import * as z from 'zod';
import type { Topic } from './topics.js';

interface SignedRow {
  readonly signer: string;
  /** its signer says once a second that it has said all, and who hears that no more becomes careful */
  readonly beats: boolean;
  /** characters of one statement; what is longer is none */
  readonly mostCharacters: number;
}

/**
 * The topics whose messages decide what agents may do, and the one service whose word counts on each. What is said there
 * is a statement: signed by that service, for that topic and key (a compact JWS, RFC 7515 §7.1).
 */
export const SIGNED_TOPICS = {
  'portcullis.revocations': { signer: 'auth-server', beats: true, mostCharacters: 8192 },
  'portcullis.standing': { signer: 'security-analytics', beats: true, mostCharacters: 8192 },
  // a whole table of rules, of 256 KiB as JSON
  'portcullis.limit-rules': { signer: 'rate-limiter', beats: false, mostCharacters: 384 * 1024 },
} as const satisfies Partial<Record<Topic, SignedRow>>;
export type SignedTopic = keyof typeof SIGNED_TOPICS;
/** The topics that contain agents and end tokens: their silence says something. */
export type BeatingTopic = {
  [T in SignedTopic]: (typeof SIGNED_TOPICS)[T]['beats'] extends true ? T : never;
}[SignedTopic];
export type Signer = (typeof SIGNED_TOPICS)[SignedTopic]['signer'];

/** `typ` of the protected header: a token of ours is no statement, and a statement is no token (RFC 8725 §3.11). */
export const STATEMENT_TYPE = 'portcullis-statement+jwt';

/** What is signed. */
export const statementSchema = z.strictObject({
  signer: z.string(),
  topic: z.string(),
  key: z.string(),
  /** grows with what is said of one key; what has less than is known is out of date */
  seq: z.int().min(0),
  body: z.unknown(),
});
export type Statement = z.output<typeof statementSchema>;

/** Under this key a signer says once a second that all it had to say was said. No tenant begins with a slash. */
export const heartbeatKey = (topic: SignedTopic): string => `/heartbeat/${SIGNED_TOPICS[topic].signer}`;
export const HEARTBEAT_MS = 1000;
/** A feed that heard no heartbeat for longer is stale: what it knows may no longer be so. */
export const STALE_MS = 3000;

export const heartbeatSchema = z.strictObject({
  /** which process says it; its heartbeats are numbered by `seq` */
  instance: z.string().min(1).max(64),
  /** ms since epoch, by that process's clock */
  at: z.int().min(0),
});
export type Heartbeat = z.output<typeof heartbeatSchema>;

/** Why a message on a signed topic is passed over. Each is logged and counted, and none changes anything. */
export const PASSED_OVER = {
  unsigned: 'is no statement: no JWS of this type, or too large',
  bad_signature: 'has a signature that is not of the key it names',
  unknown_key: 'is signed with a key that its signer does not publish',
  misplaced: 'was signed for another topic, another key or by another service',
  out_of_date: 'says less than what is known, or was said before',
  not_understood: 'is signed, and its content is not known to this version',
  removed: 'takes away what still counts',
} as const satisfies Record<string, string>;
export type PassedOver = keyof typeof PASSED_OVER;

import type { Draw } from './draws.js';
import { LEASE_MS } from './rule-table.js';

/** One thing that the script is asked to do. */
export type Operation =
  | {
      readonly draws: readonly Draw[];
      /** names the reservation; '' = there is nothing to settle later */
      readonly lease: string;
    }
  | {
      readonly settled: string;
      /** really used, integers >= 0; undefined = as they were reserved */
      readonly llmTokens: number | undefined;
      readonly costMicros: number | undefined;
    };

/** What the script of decide-script.ts is run with. */
export interface EncodedTurn {
  readonly keys: readonly string[];
  readonly args: readonly string[];
}

/** How one draw stands, whether or not it was taken. */
export interface DrawState {
  /** before this question, integer >= 0 */
  readonly remaining: number;
  /** integer ms until its cost fits; 0 = it does; Infinity = it never will */
  readonly retryAfterMs: number;
  /** integer ms until the window is empty if nothing more is asked */
  readonly resetMs: number;
}

const KINDS = { counted: 0, llm_tokens: 1, cost: 2, lease: 3 } as const;
const NUMBERS_PER_DRAW = 3;
const AS_RESERVED = -1;

/** @param tenant has no brace: it is the hash tag, so that all that one script touches lies in one slot of a cluster */
export const countKey = (tenant: string, key: string): string => `{${tenant}}:limit/${key}`;
export const leaseKey = (tenant: string, lease: string): string => `{${tenant}}:lease/${lease}`;

/** Writes down what one tenant asked in one turn. @param now ms since epoch, of a test; undefined = the server's own time */
export function encodeTurn(tenant: string, operations: readonly Operation[], now: number | undefined): EncodedTurn {
  const keys: string[] = [];
  const places = new Map<string, number>();
  const placeOf = (key: string): number => {
    let place = places.get(key);
    if (place === undefined) places.set(key, (place = keys.push(key)));
    return place;
  };
  const leases: string[] = [];
  let text = '';
  for (const operation of operations) {
    let each: string;
    if ('settled' in operation) {
      const { settled, llmTokens = AS_RESERVED, costMicros = AS_RESERVED } = operation;
      each = `[${-leases.push(leaseKey(tenant, settled))},${llmTokens},${costMicros}]`;
    } else {
      const { lease, draws } = operation;
      each = `[${lease === '' ? 0 : leases.push(leaseKey(tenant, lease))}`;
      for (const draw of draws) {
        const { key, limit, windowMs, slotMs, cost } = draw;
        each += `,${placeOf(countKey(tenant, key))},${limit},${windowMs},${slotMs},${cost},${kindOf(draw)}`;
      }
      each += ']';
    }
    text += text === '' ? each : `,${each}`;
  }
  const time = now === undefined ? '' : String(now);
  return { keys: [...keys, ...leases], args: [time, String(LEASE_MS), String(keys.length), `[${text}]`] };
}

const kindOf = ({ type, until }: Draw): number =>
  until === 'lease' ? KINDS.lease : type === 'llm_tokens' || type === 'cost' ? KINDS[type] : KINDS.counted;

export interface DecodedTurn {
  /** ms since epoch, by the clock that decided */
  readonly now: number;
  /** of each operation, in order: how each draw of a question stood, or whether there was such a lease */
  readonly answers: readonly (readonly DrawState[] | boolean)[];
}

/** @throws TypeError when the script answered something else */
export function decodeTurn(operations: readonly Operation[], answer: unknown): DecodedTurn {
  if (!Array.isArray(answer)) throw new TypeError('the script of the limits answers a list');
  let at = 0;
  const next = (): number => {
    const number: unknown = answer[at++];
    if (typeof number !== 'number') throw new TypeError('the script of the limits answers numbers');
    return number;
  };
  const now = next();
  const answers = operations.map((operation) => {
    if ('settled' in operation) return next() === 1;
    return operation.draws.map(() => {
      const remaining = next();
      const retryAfterMs = next();
      return { remaining, retryAfterMs: retryAfterMs < 0 ? Infinity : retryAfterMs, resetMs: next() };
    });
  });
  if (at !== answer.length) throw new TypeError(`the script of the limits answers ${NUMBERS_PER_DRAW} numbers a draw`);
  return { now, answers };
}

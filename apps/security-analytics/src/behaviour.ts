import type { BehaviourState } from '@portcullis/contract/standing';
import { TRANSITIONS, type Condition, type TransitionRow } from './behaviour.table.js';

const ROWS: readonly TransitionRow[] = TRANSITIONS;

/** An event that counts, by its id and its time (ms since epoch). */
export interface Mark {
  readonly id: string;
  readonly at: number;
}

/** What the rows need to know of the past, and no more. */
export interface Memory {
  /** denials that count, oldest first; the latest MAX_DENIALS of them */
  readonly denials: readonly Mark[];
  /** allowed calls since `quietFrom`, oldest first; only kept where a row asks for them, and no more than it asks for */
  readonly allowed: readonly Mark[];
  /** ms since epoch: no denial since, in this state */
  readonly quietFrom: number;
  /** ms since epoch: denials up to here are forgiven */
  readonly forgivenTo: number;
}

/** The behaviour of one principal. */
export interface Behaviour {
  readonly state: BehaviourState;
  /** ms since epoch */
  readonly since: number;
  readonly why: string;
  /** denials ever, forgiven ones too */
  readonly denials: number;
  readonly memory: Memory;
}

/** What can move a principal; `at` is ms since epoch. */
export type BehaviourEvent =
  | (Mark & { readonly kind: 'call'; readonly denial: boolean; readonly allowed: boolean })
  | {
      readonly kind: 'person';
      readonly at: number;
      readonly to: BehaviourState;
      readonly by: string;
      readonly reason: string;
    };

export interface Transition {
  readonly from: BehaviourState;
  readonly to: BehaviourState;
  /** ms since epoch */
  readonly at: number;
  readonly why: string;
  /** `rule:NAME`, or the person */
  readonly by: string;
}

export interface Moved {
  readonly next: Behaviour;
  /** in order; more than one when a state had run out before the event came */
  readonly transitions: readonly Transition[];
}

/** Denials kept per principal. More than any row counts, so that two sources whose clocks differ are still seen whole. */
export const MAX_DENIALS = 32;

/** A principal nobody has seen before. */
export const firstSeen = (at: number): Behaviour => ({
  state: 'Normal',
  since: at,
  why: 'first seen',
  denials: 0,
  memory: { denials: [], allowed: [], quietFrom: at, forgivenTo: -1 },
});

/**
 * Applies one event. Depends on the event's own time only, so the same events give the same states whenever they are
 * replayed. An event that came out of order never moves `since` back.
 * @param event a call whose id is still remembered changes nothing; a person's move that no row allows changes nothing
 *   (see {@link personMay})
 */
export function move(before: Behaviour, event: BehaviourEvent): Moved {
  const settled = settle(before, event.at);
  const { next, transitions } = event.kind === 'person' ? decided(settled.next, event) : called(settled.next, event);
  return { next, transitions: [...settled.transitions, ...transitions] };
}

/**
 * The behaviour at a time when nothing new has happened: states that run out have run out, at the time they did.
 * @param at ms since epoch
 */
export function settle(before: Behaviour, at: number): Moved {
  for (const row of rowsFrom(before.state, 'quiet')) {
    const due = quietDue(before.memory, row.on);
    if (due <= at) return enter(before, row, { at: due, why: quietWhy(row.on) });
  }
  return { next: before, transitions: [] };
}

/** The states a person may move an agent to from here, in the order of the table. */
export const personMay = (from: BehaviourState): readonly BehaviourState[] => [
  ...new Set(rowsFrom(from, 'person').map(({ to }) => to)),
];

/** Denials in the minute before a time, for people to read. */
export const recentDenials = ({ memory }: Behaviour, at: number): number =>
  memory.denials.filter((mark) => mark.at > at - 60_000 && mark.at <= at).length;

function decided(before: Behaviour, event: BehaviourEvent & { kind: 'person' }): Moved {
  const row = rowsFrom(before.state, 'person').find(({ to }) => to === event.to);
  return row
    ? enter(before, row, { at: event.at, why: event.reason, by: event.by })
    : { next: before, transitions: [] };
}

function called(before: Behaviour, event: BehaviourEvent & { kind: 'call' }): Moved {
  if (event.denial) return denied(before, event);
  if (event.allowed) return settle(withAllowed(before, event), event.at);
  return { next: before, transitions: [] };
}

function denied(before: Behaviour, { id, at }: Mark): Moved {
  const { memory } = before;
  if (memory.denials.some((mark) => mark.id === id)) return { next: before, transitions: [] };
  const counted = { ...before, denials: before.denials + 1 };
  if (at <= memory.forgivenTo) return { next: counted, transitions: [] };
  const denials = inOrder([...memory.denials, { id, at }]).slice(-MAX_DENIALS);
  const allowed = memory.allowed.filter((mark) => mark.at > at);
  const noted: Behaviour = {
    ...counted,
    memory: { ...memory, denials, allowed, quietFrom: Math.max(memory.quietFrom, at) },
  };
  const row = rowsFrom(noted.state, 'denials').find(({ on }) => peak(denials, at, on.withinMs) >= on.count);
  return row ? enter(noted, row, { at, why: denialsWhy(row.on) }) : { next: noted, transitions: [] };
}

function withAllowed(before: Behaviour, { id, at }: Mark): Behaviour {
  const { memory, state } = before;
  const wanted = Math.max(0, ...rowsFrom(state, 'quiet').map(({ on }) => on.allowedCalls));
  const known = memory.allowed.length >= wanted || memory.allowed.some((mark) => mark.id === id);
  if (known || at < memory.quietFrom) return before;
  return { ...before, memory: { ...memory, allowed: inOrder([...memory.allowed, { id, at }]) } };
}

function enter(before: Behaviour, row: TransitionRow, cause: { at: number; why: string; by?: string }): Moved {
  const at = Math.max(before.since, cause.at);
  const { memory } = before;
  const next: Behaviour = {
    ...before,
    state: row.to,
    since: at,
    why: cause.why,
    memory: row.forgives
      ? { denials: [], allowed: [], quietFrom: at, forgivenTo: at }
      : { ...memory, allowed: [], quietFrom: Math.max(memory.quietFrom, at) },
  };
  const transition = { from: before.state, to: row.to, at, why: cause.why, by: cause.by ?? `rule:${row.name}` };
  return { next, transitions: [transition] };
}

/** When a quiet row applies: its time is over and the last of its calls was made. Infinity while calls are missing. */
function quietDue(memory: Memory, { forMs, allowedCalls }: Condition & { kind: 'quiet' }): number {
  const over = memory.quietFrom + forMs;
  if (allowedCalls === 0) return over;
  return Math.max(over, memory.allowed[allowedCalls - 1]?.at ?? Infinity);
}

/** The most denials in any window of that length that holds the time `at`; windows are half-open. */
function peak(denials: readonly Mark[], at: number, withinMs: number): number {
  const starts = denials.filter((mark) => mark.at <= at && at < mark.at + withinMs);
  const inWindow = (start: Mark) =>
    denials.filter((mark) => mark.at >= start.at && mark.at < start.at + withinMs).length;
  return Math.max(0, ...starts.map(inWindow));
}

const denialsWhy = ({ count, withinMs }: Condition & { kind: 'denials' }): string =>
  count === 1 ? 'a denial' : `${count} denials within ${withinMs / 1000} s`;

const quietWhy = ({ forMs, allowedCalls }: Condition & { kind: 'quiet' }): string =>
  `${forMs / 60_000} minutes without a denial${allowedCalls > 0 ? ` and ${allowedCalls} allowed calls` : ''}`;

const inOrder = (marks: readonly Mark[]): Mark[] => marks.toSorted((a, b) => a.at - b.at);

type RowOn<K extends Condition['kind']> = TransitionRow & { readonly on: Condition & { readonly kind: K } };
const rowsFrom = <K extends Condition['kind']>(from: BehaviourState, kind: K): RowOn<K>[] =>
  ROWS.filter((row): row is RowOn<K> => row.on.kind === kind && row.from.includes(from));

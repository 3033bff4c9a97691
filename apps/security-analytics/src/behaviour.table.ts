import { BEHAVIOUR_STATES, EFFECTS, type BehaviourState } from '@portcullis/contract/standing';

/** What makes a row apply. Times are those of the events, so that a replay comes to the same states. */
export type Condition =
  /** `count` denials inside one window: a denial that is exactly `withinMs` older than another is outside its window */
  | { readonly kind: 'denials'; readonly count: number; readonly withinMs: number }
  /** so long without a denial, with at least so many allowed calls in that time */
  | { readonly kind: 'quiet'; readonly forMs: number; readonly allowedCalls: number }
  /** somebody who holds security:respond says so, with a reason */
  | { readonly kind: 'person' };

export interface TransitionRow {
  readonly name: string;
  readonly from: readonly BehaviourState[];
  readonly on: Condition;
  readonly to: BehaviourState;
  /** what it does, for people */
  readonly does: string;
  /** the agent starts anew: denials up to this moment count no longer */
  readonly forgives?: true;
}

const admitted = BEHAVIOUR_STATES.filter((state) => EFFECTS[state].admitted);
const admittedBut = (...not: readonly BehaviourState[]) => admitted.filter((state) => !not.includes(state));
const MINUTE = 60_000;

/**
 * How an agent moves between the states of behaviour, and who may move it. Of the rows that apply the first one wins, so
 * the graver ones stand first. Only a person's row leaves Isolated or Compromised, or leads to Investigation or Compromised.
 */
export const TRANSITIONS = [
  {
    name: 'five-denials',
    from: admitted,
    on: { kind: 'denials', count: 5, withinMs: MINUTE },
    to: 'Isolated',
    does: 'No call and no token any more until a person releases the agent.',
  },
  {
    name: 'three-denials',
    from: ['Normal', 'Monitoring'],
    on: { kind: 'denials', count: 3, withinMs: MINUTE },
    to: 'Suspicious',
    does: 'Shown to the security team; calls go on.',
  },
  {
    name: 'first-denial',
    from: ['Normal'],
    on: { kind: 'denials', count: 1, withinMs: MINUTE },
    to: 'Monitoring',
    does: 'Noted; calls go on.',
  },
  {
    name: 'ten-quiet-minutes',
    from: ['Monitoring', 'Suspicious'],
    on: { kind: 'quiet', forMs: 10 * MINUTE, allowedCalls: 0 },
    to: 'Normal',
    does: 'The agent is as before its denials.',
  },
  {
    name: 'remediated',
    from: ['Remediation'],
    on: { kind: 'quiet', forMs: 10 * MINUTE, allowedCalls: 20 },
    to: 'Normal',
    does: 'Full limits again.',
  },
  {
    name: 'quarantine',
    from: admitted,
    on: { kind: 'person' },
    to: 'Isolated',
    does: 'No call and no token any more until a person releases the agent.',
  },
  {
    name: 'release',
    from: ['Isolated', 'Compromised'],
    on: { kind: 'person' },
    to: 'Remediation',
    does: 'Calls work again under half the limits.',
    forgives: true,
  },
  {
    name: 'clear',
    from: ['Investigation', 'Remediation'],
    on: { kind: 'person' },
    to: 'Normal',
    does: 'Full limits again.',
    forgives: true,
  },
  {
    name: 'investigate',
    from: admittedBut('Investigation', 'Remediation'),
    on: { kind: 'person' },
    to: 'Investigation',
    does: 'Shown as under investigation until a person decides; calls go on, and five denials still isolate.',
  },
  {
    name: 'compromise',
    from: [...admitted, 'Isolated'],
    on: { kind: 'person' },
    to: 'Compromised',
    does: 'Taken over by somebody else, says a person: no call and no token any more until a person releases the agent.',
  },
] as const satisfies readonly TransitionRow[];

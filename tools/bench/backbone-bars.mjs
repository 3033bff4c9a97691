// What is held of what processes share: [what, its figure in one round, the bar].

/** A bare server of this speed is fast enough that the figure over HTTP need not grow with it any more. */
const FAST = 25_000;
/** Events a second of one consumer that are enough, however fast the client alone is. */
const ENOUGH = 20_000;
/** Of the client alone. */
const SHARE = 0.5;

/** At least so much. Figures by name, as limits.mjs tells them. */
export const LIMITS = [
  [
    'in process at least 0.7 of a bare loop of the same script',
    ({ decide, same }) => decide.perSecond / same.perSecond,
    0.7,
  ],
  [
    'over HTTP at least 0.4 of a bare server, which is 10,000 a second where that one makes 25,000 or more',
    ({ http, 'bare http': bare }) => http.perSecond / Math.min(bare.perSecond, FAST),
    0.4,
  ],
];

/** At least so much, of the bar that is easier to meet in that round. */
export const EVENTS = [
  '20,000 events a second, or 0.5 of the client alone',
  ({ road, bare }) => road.perSecond / Math.min(ENOUGH, SHARE * bare.perSecond),
  1,
];

/** At most so much: the dearest case over the cheapest. */
export const SCALE = ['a call costs the same, within a fifth, with more', 1.2];

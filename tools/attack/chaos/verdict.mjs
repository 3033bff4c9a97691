// What came of one fault: compares what the callers saw with what is on record.

/** How long a token that is revoked may still be taken at most, ms: 3 without word of what was revoked, and 1 on the way. */
export const REVOKED_WITHIN_MS = 4_000;

/**
 * @typedef {import('./gate.mjs').Answer} Answer
 * @typedef {{ correlationId: string, request?: string, outcome: string, attempt?: string, id: string }} Recorded
 */

/**
 * @param {readonly Answer[]} answers of every call of the load
 * @param {readonly Recorded[]} events what the store has of calls
 * @param {readonly string[]} executed requests whose effect is in the tools' data
 * @returns {{ answered: number, stored: number, lost: number, doubled: number, unseen: number, open: number, openAnswered: number }}
 *   stored: answered calls whose one event is in the store; lost: answered calls without one; doubled: with several;
 *   unseen: effects without an attempt on record; open: attempts without an outcome; openAnswered: those of them whose
 *   call was answered
 */
export function compare(answers, events, executed) {
  const outcomes = new Map();
  const attempts = new Map();
  const concluded = new Set();
  for (const { correlationId, request, outcome, attempt, id } of events) {
    if (outcome === 'attempted') attempts.set(id, { request, correlationId });
    else outcomes.set(correlationId, (outcomes.get(correlationId) ?? 0) + 1);
    if (attempt !== undefined) concluded.add(attempt);
  }
  const answered = answers.filter(({ correlationId }) => correlationId !== undefined);
  const counts = answered.map(({ correlationId }) => outcomes.get(correlationId) ?? 0);
  const attempted = new Set([...attempts.values()].map(({ request }) => request));
  const answeredIds = new Set(answered.map(({ correlationId }) => correlationId));
  const open = [...attempts].filter(([id]) => !concluded.has(id));
  return {
    answered: answered.length,
    stored: counts.filter((count) => count === 1).length,
    lost: counts.filter((count) => count === 0).length,
    doubled: counts.filter((count) => count > 1).length,
    unseen: executed.filter((request) => !attempted.has(request)).length,
    open: open.length,
    openAnswered: open.filter(([, { correlationId }]) => answeredIds.has(correlationId)).length,
  };
}

/**
 * The most that was admitted beyond a limit, in any window. A call was decided between its sending and its answer, so
 * those count whose whole time lies in the window: what is found here was exceeded for certain.
 * @param {readonly Answer[]} answers of one caller and tool
 * @param {number} limit
 * @param {number} windowMs
 */
export function overLimit(answers, limit, windowMs) {
  const admitted = answers.filter(({ status }) => status === 200);
  const most = Math.max(
    0,
    ...admitted.map(
      ({ sentAt: from }) =>
        admitted.filter(({ sentAt, answeredAt }) => sentAt >= from && answeredAt < from + windowMs).length,
    ),
  );
  return Math.max(0, most - limit);
}

/**
 * @param {readonly Answer[]} answers of calls with tokens that were revoked
 * @param {number | undefined} revokedAt ms since epoch: when it was answered that they are
 * @returns {{ tooLate: number, lastMs: number }} calls that were taken though sent later than the bound, and how long after the
 *   revocation the last one was sent that was taken
 */
export function takenAfter(answers, revokedAt) {
  const ages = answers.filter(({ status }) => status === 200).map(({ sentAt }) => sentAt - (revokedAt ?? Infinity));
  return { tooLate: ages.filter((age) => age > REVOKED_WITHIN_MS).length, lastMs: Math.max(0, ...ages) };
}

import * as z from 'zod';

export const DIAGNOSTICS = ['database', 'bus', 'limiter', 'disk', 'runtime'] as const;
export type Diagnostic = (typeof DIAGNOSTICS)[number];

/** What a check may say; more than that is not passed on. */
export const finding = z.strictObject({
  ok: z.boolean(),
  findings: z.array(z.strictObject({ name: z.string().max(40), value: z.string().max(100) })).max(10),
});
export type Finding = z.output<typeof finding>;

/**
 * Makes a check.
 * @param agent the principal that it is made for
 * @throws Refusal rate_limited when too many run for this agent, overloaded when too many run in all; Error when it gives no
 *   answer
 */
export type Diagnose = (check: Diagnostic, agent: string, signal: AbortSignal) => Promise<Finding>;

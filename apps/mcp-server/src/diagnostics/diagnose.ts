import * as z from 'zod';

export const DIAGNOSTICS = ['database', 'bus', 'limiter', 'disk', 'runtime'] as const;
export type Diagnostic = (typeof DIAGNOSTICS)[number];

/** What a check may say; more than that is not passed on. */
export const finding = z.strictObject({
  ok: z.boolean(),
  findings: z.array(z.strictObject({ name: z.string().max(40), value: z.string().max(100) })).max(10),
});
export type Finding = z.output<typeof finding>;

/** Makes a check. @throws Refusal overloaded when too many run; Error when it gives no answer */
export type Diagnose = (check: Diagnostic, signal: AbortSignal) => Promise<Finding>;

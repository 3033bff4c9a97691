import * as z from 'zod';

/** The states of an agent's behaviour, from harmless to contained and back. */
export const BEHAVIOUR_STATES = [
  'Normal',
  'Monitoring',
  'Suspicious',
  'Investigation',
  'Compromised',
  'Isolated',
  'Remediation',
] as const;
export type BehaviourState = (typeof BEHAVIOUR_STATES)[number];

/** What a state means for the next call: whether it is let in, and which share of the limits it gets (0..1). */
export const EFFECTS: Readonly<Record<BehaviourState, { readonly admitted: boolean; readonly limitShare: number }>> = {
  Normal: { admitted: true, limitShare: 1 },
  Monitoring: { admitted: true, limitShare: 1 },
  Suspicious: { admitted: true, limitShare: 1 },
  Investigation: { admitted: true, limitShare: 1 },
  Compromised: { admitted: false, limitShare: 0 },
  Isolated: { admitted: false, limitShare: 0 },
  Remediation: { admitted: true, limitShare: 0.5 },
};

/** What security-analytics says about a principal; the last one per (tenant, agent) counts. */
export const standingSchema = z.object({
  tenant: z.string(),
  agent: z.templateLiteral(['agt_', z.string()]),
  state: z.enum(BEHAVIOUR_STATES),
  /** RFC 3339, UTC, ms: since when */
  since: z.string(),
});
export type Standing = z.infer<typeof standingSchema>;

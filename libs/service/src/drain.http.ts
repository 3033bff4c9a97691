import type { CommonSettings } from './common.js';
import { closeBound, type Bound } from './listener.http.js';
import type { Management } from './management.http.js';

export type DrainSettings = Pick<CommonSettings, 'DRAIN_DELAY_MS' | 'SHUTDOWN_GRACE_MS'>;

/**
 * Lets a service stop without a caller noticing: /readyz says `draining`; whoever balances the load has DRAIN_DELAY_MS to
 * send new requests elsewhere, and those that still come are served; then no new connection is taken, and what is under
 * way has SHUTDOWN_GRACE_MS to finish. The management port answers until the end.
 * @param giveUp called when that time is over, to answer what is still under way; connections are cut soon after
 */
export async function drained(
  bound: Bound,
  management: Management,
  { DRAIN_DELAY_MS, SHUTDOWN_GRACE_MS }: DrainSettings,
  giveUp?: () => void,
): Promise<void> {
  management.drain();
  if (DRAIN_DELAY_MS > 0) await new Promise((resolve) => setTimeout(resolve, DRAIN_DELAY_MS));
  await closeBound(bound, SHUTDOWN_GRACE_MS, giveUp);
  await closeBound(management);
}

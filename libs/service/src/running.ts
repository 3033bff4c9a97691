/** A service that answers on its port until it is closed. */
export interface RunningService {
  /** base URL of its API, without a trailing slash */
  readonly url: string;
  /** base URL of /healthz, /readyz and /metrics */
  readonly managementUrl: string;
  /** Stops taking requests, finishes those under way, lets go of what it holds. Safe to call twice. */
  close(): Promise<void>;
}

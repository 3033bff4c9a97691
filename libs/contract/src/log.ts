/** Where a service tells its operators things. `facts` never hold secrets, tokens, arguments of tools or personal data. */
export interface Log {
  debug(message: string, facts?: LogFacts): void;
  info(message: string, facts?: LogFacts): void;
  warn(message: string, facts?: LogFacts): void;
  error(message: string, facts?: LogFacts): void;
}
export type LogFacts = Readonly<Record<string, unknown>>;

/** For code that nobody listens to, such as tests. */
export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

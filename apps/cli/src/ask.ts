/** One HTTP request and what came of it. */
export interface Question {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | undefined;
}
export interface Reply {
  readonly status: number;
  /** value of a response header, undefined when absent */
  header(name: string): string | undefined;
  readonly text: string;
}
/**
 * Asks one of the gate's servers. Redirects are not followed; time and size are bounded.
 * @throws NotDone when nobody answers
 */
export type Ask = (url: string, question?: Question) => Promise<Reply>;

/** The JSON of an answer, or undefined when it is none. */
export function jsonOf({ text }: Pick<Reply, 'text'>): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The tool was used wrongly, or there is no gate to talk to: exit code 2. The message says what to change. */
export class WrongUse extends Error {
  override readonly name = 'WrongUse';
}

/** The tool was used rightly and it did not work out: exit code 1. The message says what to do. */
export class NotDone extends Error {
  override readonly name = 'NotDone';
}

/** Nobody listens where the gate should be. */
export class Unreachable extends NotDone {}

/** One of the gate's APIs answered no. `status` is that of its HTTP answer. */
export class ApiRefusal extends NotDone {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export const EXIT = { done: 0, failed: 1, wrongUse: 2 } as const;

/** What a thrown value means outside: the exit code and one sentence, never a stack. */
export function faultOf(error: unknown): { code: number; message: string } {
  if (error instanceof WrongUse) return { code: EXIT.wrongUse, message: error.message };
  if (error instanceof NotDone) return { code: EXIT.failed, message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  return { code: EXIT.failed, message: `Something unexpected happened in portcullis: ${message}` };
}

import { Refusal } from '@portcullis/contract/refusals';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { DIAGNOSTICS, finding, type Diagnose, type Diagnostic } from './diagnose.js';

export interface ChildRules {
  /** bytes of standard output; one more and the child is killed */
  readonly maxOutput: number;
  /** ms until the child is killed */
  readonly timeoutMs: number;
  /** children at a time; one more is refused */
  readonly atOnce: number;
  /** of them for one agent */
  readonly perAgent: number;
  /** the script, an absolute path */
  readonly script: string;
}
export const CHILD_RULES: ChildRules = {
  maxOutput: 4 * 1024,
  timeoutMs: 5_000,
  atOnce: 4,
  perAgent: 1,
  script: fileURLToPath(new URL('../../diagnostics/check.mjs', import.meta.url)),
};

/**
 * Makes checks in a process of their own: this Node.js with a fixed script, started without a shell and without
 * environment, with the permissions to read the script and the spool and no others (nodejs.org/api/permissions.html). Its
 * arguments are made here at the start; nothing that a caller says is among them but the choice of the row.
 * @param about what every check gets on standard input: where /readyz is, and the folder of the spool. No secrets.
 */
export function childDiagnose(
  about: { readyzUrl(): string; readonly spool: string },
  rules: ChildRules = CHILD_RULES,
): Diagnose {
  const vectors = Object.fromEntries(
    DIAGNOSTICS.map((check) => [
      check,
      [
        '--permission',
        `--allow-fs-read=${rules.script}`,
        `--allow-fs-read=${about.spool}`,
        '--max-old-space-size=64',
        rules.script,
        check,
      ],
    ]),
  ) as unknown as Readonly<Record<Diagnostic, readonly string[]>>;
  /** for whom each child runs */
  const running: string[] = [];

  return async (check, agent, signal) => {
    if (running.filter((one) => one === agent).length >= rules.perAgent) {
      const facts = { limitType: 'concurrency', remaining: 0, retryAfterMs: 1_000 };
      throw new Refusal('rate_limited', facts, { detail: 'too many diagnostics of one agent at a time' });
    }
    if (running.length >= rules.atOnce) {
      throw new Refusal('overloaded', { retryAfterMs: 1_000 }, { detail: `${running.length} diagnostics run already` });
    }
    running.push(agent);
    try {
      const input = JSON.stringify({ readyzUrl: about.readyzUrl(), spool: about.spool });
      return finding.parse(JSON.parse(await outputOf(vectors[check], input, rules, signal)));
    } finally {
      running.splice(running.indexOf(agent), 1);
    }
  };
}

/** @throws Error when the child fails, takes too long, says too much, or is not waited for any more */
function outputOf(
  vector: readonly string[],
  input: string,
  { maxOutput, timeoutMs }: ChildRules,
  signal: AbortSignal,
): Promise<string> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new Error('nobody waits for the diagnostic'));
    const child = spawn(process.execPath, vector, {
      shell: false,
      env: {},
      stdio: ['pipe', 'pipe', 'ignore'],
      windowsHide: true,
    });
    const heard: Buffer[] = [];
    let size = 0;
    let broken: Error | undefined;
    // the answer is given when the child is gone, so that `atOnce` counts what really runs
    const stop = (why: string): void => {
      broken ??= new Error(why);
      child.kill('SIGKILL');
    };
    const abandon = (): void => stop('nobody waits for the diagnostic');
    const timer = setTimeout(() => stop('the diagnostic takes too long'), timeoutMs);
    signal.addEventListener('abort', abandon);
    child.stdout.on('data', (bytes: Buffer) => {
      size += bytes.length;
      if (size > maxOutput) stop('the diagnostic says too much');
      else heard.push(bytes);
    });
    child.on('error', (error) => (broken ??= error));
    child.on('close', (code) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abandon);
      if (broken !== undefined) reject(broken);
      else if (code !== 0) reject(new Error(`the diagnostic ended with ${code}`));
      else resolve(Buffer.concat(heard).toString('utf8'));
    });
    // a child that ends before it has read leaves a broken pipe, and its exit code says the rest
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

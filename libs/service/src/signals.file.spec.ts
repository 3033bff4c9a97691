import { jest } from '@jest/globals';
import { spawn } from 'node:child_process';

// each test starts a process of its own; one waits for the 5 s that a close may take
jest.setTimeout(30_000);

const FILE = JSON.stringify(new URL('./signals.file.ts', import.meta.url).href);

/** A process of its own whose service closes as `close` says; it gets the signals as soon as it says that it runs. */
function run(close: string, ...signals: NodeJS.Signals[]): Promise<{ code: number | null; out: string }> {
  const program = `
    import { runUntilSignal } from ${FILE};
    const timer = setInterval(() => {}, 1000);
    runUntilSignal({ close: async () => { process.stdout.write('closing '); ${close} } });
    process.stdout.write('running ');`;
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', program], {
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
    // the first signal when it runs, the second when it closes, the third when it says that it waits
    const signal = String(chunk).includes('ing ') ? signals.shift() : undefined;
    if (signal !== undefined) child.kill(signal);
  });
  return new Promise((resolve) => child.on('exit', (code) => resolve({ code, out })));
}

test.each(['SIGINT', 'SIGTERM'] as const)('%s closes the service and ends with 0', async (signal) => {
  expect(await run(`process.stdout.write('closed');`, signal)).toEqual({ code: 0, out: 'running closing closed' });
});

test('a close that fails ends with 1', async () => {
  expect((await run(`throw new Error('x');`, 'SIGTERM')).code).toBe(1);
});

test('a second signal ends a close that hangs; one that comes at once is the first one again', async () => {
  const hang = `setTimeout(() => process.stdout.write('waiting '), 1200); await new Promise(() => {});`;
  expect(await run(hang, 'SIGTERM', 'SIGTERM', 'SIGINT')).toEqual({ code: 1, out: 'running closing waiting ' });
  expect(await run('', 'SIGINT', 'SIGINT')).toMatchObject({ code: 0 });
});

test('a close that hangs is ended after its time', async () => {
  expect((await run('await new Promise(() => {});', 'SIGTERM')).code).toBe(1);
});

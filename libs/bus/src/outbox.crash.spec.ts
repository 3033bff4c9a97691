import { afterAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  chainOf,
  draft,
  linesIn,
  notingBus,
  openTestOutbox,
  removeTemporaryDirectories,
  temporaryDirectory,
} from './outbox.fixture.js';

/**
 * Appends 20 at a time for ever, and says each number once the append has resolved. Its bus takes every other batch and
 * notes it in a file.
 */
const APPENDING = `
  const [dir, kit, notes] = process.argv.slice(1);
  const { appendFileSync } = await import('node:fs');
  const { openTestOutbox, draft, notingBus } = await import(kit);
  let even = false;
  const publish = async (topic, messages) => {
    if ((even = !even)) throw new Error('not now');
    appendFileSync(notes, messages.map(({ value }) => value + '\\n').join(''));
  };
  const log = await openTestOutbox(dir, { ...notingBus(), publish }, { segmentBytes: 50_000 });
  for (;;) {
    const events = await Promise.all(Array.from({ length: 20 }, () => log.append(draft())));
    process.stdout.write(events.map(({ seq }) => seq + '\\n').join(''));
    await new Promise(setImmediate);
  }
`;

/** @returns the largest number whose append had resolved when the process was killed, having reached `atLeast` */
async function killedWhileAppending(dir: string, notes: string, atLeast: number): Promise<number> {
  const root = fileURLToPath(new URL('../../../', import.meta.url));
  const kit = new URL('./outbox.fixture.ts', import.meta.url).href;
  const sources = ['--conditions=@portcullis/source', '--import', '@swc-node/register/esm-register'];
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', ...sources, '--input-type=module', '-e', APPENDING, dir, kit, notes],
    {
      cwd: root,
      env: { PATH: process.env['PATH'], SWC_NODE_PROJECT: `${root}tsconfig.base.json` },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const ended = once(child, 'exit');
  let last = 0;
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    last = Number(line);
    if (last >= atLeast) child.kill('SIGKILL');
  });
  const [, signal] = (await Promise.all([ended, once(lines, 'close')]))[0] as [number | null, string | null];
  expect(signal).toBe('SIGKILL');
  return last;
}

afterAll(removeTemporaryDirectories);

describe('an outbox whose process is killed under load', () => {
  it('has every event whose append had resolved, and the bus gets each of them, in one chain', async () => {
    const dir = temporaryDirectory();
    const notes = join(temporaryDirectory(), 'taken');
    let resolved = 0;
    for (let round = 1; round <= 3; round += 1) {
      resolved = await killedWhileAppending(dir, notes, resolved + 3000);
      const inSpool = linesIn(dir).map((line) => JSON.parse(line).seq as number);
      expect(inSpool.at(-1)).toBeGreaterThanOrEqual(resolved);
    }
    const bus = notingBus();
    const log = await openTestOutbox(dir, bus);
    const { seq } = await log.append(draft('the last'));
    await log.close();
    expect(log.stats()).toMatchObject({ pending: 0, lost: 0 });
    const takenBefore = readFileSync(notes, 'utf8').split('\n').slice(0, -1);
    const chain = chainOf([...takenBefore, ...bus.taken.map(({ value }) => value)]);
    expect(chain).toHaveLength(seq);
    expect(chain.at(-1)).toBe('the last');
    expect(seq).toBeGreaterThan(resolved);
  }, 60_000);
});

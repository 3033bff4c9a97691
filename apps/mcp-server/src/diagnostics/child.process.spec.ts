import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHILD_RULES, childDiagnose, type ChildRules } from './child.process.js';

let folder: string;
const checks = { database: 'ok', standing: 'ok', revocations: 'not heard yet', limiter: 'ok' };
const management = createServer((_request, response) => response.end(JSON.stringify({ checks })));
const about = {
  readyzUrl: () => `http://127.0.0.1:${(management.address() as AddressInfo).port}/readyz`,
  get spool() {
    return folder;
  },
};
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'diagnostic-'));
  await new Promise<void>((resolve) => management.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  management.close();
  await rm(folder, { recursive: true });
});
const AGENT = 'agt_a';
const waiting = () => new AbortController().signal;
/** A child that runs this script in place of ours. */
async function scripted(script: string, rules: Partial<ChildRules> = {}) {
  const path = join(folder, `${Math.random()}.mjs`);
  await writeFile(path, script);
  return childDiagnose(about, { ...CHILD_RULES, script: path, ...rules });
}
const says = (value: string): string =>
  `process.stdout.write(JSON.stringify({ ok: true, findings: [{ name: 'x', value: String(${value}) }] }));`;
const valueOf = async (script: string): Promise<string | undefined> =>
  (await (await scripted(script))('runtime', AGENT, waiting())).findings[0]?.value;

it('a child has five seconds, 4 KiB to say, and four of them run at a time, one for each agent', () => {
  const { script, ...limits } = CHILD_RULES;
  expect(limits).toEqual({ timeoutMs: 5_000, maxOutput: 4_096, atOnce: 4, perAgent: 1 });
  expect(script).toMatch(/\/diagnostics\/check\.mjs$/);
});

it.each([
  ['database', true, [{ name: 'database', value: 'ok' }]],
  [
    'bus',
    false,
    [
      { name: 'standing', value: 'ok' },
      { name: 'revocations', value: 'not heard yet' },
    ],
  ],
  ['limiter', true, [{ name: 'limiter', value: 'ok' }]],
] as const)('%s is what /readyz says of it', async (check, ok, findings) => {
  expect(await childDiagnose(about)(check, AGENT, waiting())).toEqual({ ok, findings });
});

it('runtime and disk are what the child itself sees', async () => {
  const runtime = await childDiagnose(about)('runtime', AGENT, waiting());
  expect(runtime.findings).toContainEqual({ name: 'node', value: process.versions.node });
  const disk = await childDiagnose(about)('disk', AGENT, waiting());
  expect(disk.findings.map(({ name }) => name)).toEqual(['free_mib', 'free_percent']);
});

it('a check that cannot be made says no more than that', async () => {
  const lost = { ...about, spool: join(folder, 'nowhere') };
  expect(await childDiagnose(lost)('disk', AGENT, waiting())).toEqual({
    ok: false,
    findings: [{ name: 'check', value: 'could not be made' }],
  });
});

it('a child has no environment, one argument, and a fixed text on its input', async () => {
  process.env['PORTCULLIS_CHILD_SECRET'] = 'secret';
  expect(await valueOf(says('Object.keys(process.env).length'))).toBe('0');
  expect(await valueOf(says('process.argv.slice(2)'))).toBe('runtime');
  const keys = `let text = ''; for await (const part of process.stdin) text += part; ${says('Object.keys(JSON.parse(text))')}`;
  expect(await valueOf(keys)).toBe('readyzUrl,spool');
  delete process.env['PORTCULLIS_CHILD_SECRET'];
});

it.each([
  ['read another file', "(await import('node:fs')).readFileSync('/etc/hostname')"],
  ['write a file', "(await import('node:fs')).writeFileSync('out.txt', 'x')"],
  ['start a program', "(await import('node:child_process')).execFileSync('/bin/true')"],
  ['start a thread', "new (await import('node:worker_threads')).Worker('1', { eval: true })"],
])('a child may not %s', async (_what, code) => {
  expect(
    await valueOf(`let said; try { ${code}; said = 'done'; } catch (error) { said = error.code; } ${says('said')}`),
  ).toBe('ERR_ACCESS_DENIED');
});

it.each([
  ['takes too long', 'setInterval(() => {}, 1000);', { timeoutMs: 300 }, /too long/],
  ['says too much', "process.stdout.write('x'.repeat(100_000));", {}, /too much/],
  ['fails', 'process.exit(3);', {}, /ended with 3/],
  ['says no JSON', "process.stdout.write('hello');", {}, /JSON/],
  ['says something else', 'process.stdout.write(\'{"ok":1}\');', {}, /expected/],
] as const)('a child that %s gives no answer', async (_what, script, rules, message) => {
  await expect((await scripted(script, rules))('runtime', AGENT, waiting())).rejects.toThrow(message);
});

it('a child that nobody waits for is killed, and one that is not started yet is not', async () => {
  const hanging = await scripted('setInterval(() => {}, 1000);');
  const gone = new AbortController();
  const asked = hanging('runtime', AGENT, gone.signal);
  gone.abort();
  await expect(asked).rejects.toThrow('nobody waits');
  await expect(hanging('runtime', AGENT, gone.signal)).rejects.toThrow('nobody waits');
});

/** Children that hang, one for each of these agents, until `end` is called. */
async function hangingFor(agents: readonly string[], rules: Partial<ChildRules> = {}) {
  const diagnose = await scripted('setInterval(() => {}, 1000);', rules);
  const gone = new AbortController();
  const all = agents.map((agent) => diagnose('runtime', agent, gone.signal).catch(() => 'gone'));
  const end = async () => {
    gone.abort();
    expect(await Promise.all(all)).toEqual(agents.map(() => 'gone'));
  };
  /** whether another one is begun */
  const begins = async (agent: string) => {
    const after = new AbortController();
    const next = diagnose('disk', agent, after.signal);
    after.abort();
    return next.catch((error: unknown) => error);
  };
  return { end, begins };
}
const BEGUN = expect.objectContaining({ message: expect.stringContaining('nobody waits') });

it('one agent has one child at a time, and others have theirs', async () => {
  const { end, begins } = await hangingFor(['agt_a']);
  expect(await begins('agt_a')).toMatchObject({
    code: 'rate_limited',
    facts: { limitType: 'concurrency', remaining: 0, retryAfterMs: 1_000 },
  });
  expect(await begins('agt_b')).toEqual(BEGUN);
  await end();
  expect(await begins('agt_a')).toEqual(BEGUN);
});

it('four run at a time, a fifth is refused, and room is made when they end', async () => {
  const { end, begins } = await hangingFor(['agt_a', 'agt_b', 'agt_c', 'agt_d']);
  expect(await begins('agt_e')).toMatchObject({ code: 'overloaded', facts: { retryAfterMs: 1_000 } });
  await end();
  expect(await begins('agt_e')).toEqual(BEGUN);
});

it('a check that fails before its child is begun takes no room', async () => {
  const notYet = (): string => {
    throw new Error('not listening yet');
  };
  const diagnose = childDiagnose({ ...about, readyzUrl: notYet });
  for (let n = 0; n < 2; n++) await expect(diagnose('runtime', AGENT, waiting())).rejects.toThrow('not listening yet');
});

import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Gate, launch, outcomeOf, SOON_READY, until } from './gate.js';

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-rules-'));
  file = join(folder, 'rules.json');
});
afterAll(() => rmSync(folder, { recursive: true }));

const put = (version: number, perAddress: number): void => {
  const rule = { id: 'per-address', type: 'requests', per: ['address'] };
  const windows = [{ limit: perAddress, windowMs: 3_600_000 }];
  const otherTools = { llmTokens: 500 };
  writeFileSync(`${file}.new`, JSON.stringify({ version, rules: [{ ...rule, windows }], tools: {}, otherTools }));
  renameSync(`${file}.new`, file);
};

test('mcp-server decides by the file of rules, also by where a call comes from, and by what it is changed to', async () => {
  put(1, 3);
  const gate = await Gate.start(['--ephemeral'], SOON_READY, { RULES_FILE: file });
  const tokens: string[] = [];
  for (let i = 0; i < 2; i++) tokens.push(await gate.tokenFor(await gate.newClient(['customer:read'])));
  const call = (nth: number) => gate.call(tokens[nth % 2]!, 'get_customer_info', { customer_id: '12345' });
  // two agents of one address
  for (const [nth, left] of [2, 1, 0].entries()) {
    const answer = await call(nth);
    expect([outcomeOf(answer), answer.headers.get('ratelimit')]).toEqual(['allowed', `"per-address";r=${left};t=3600`]);
  }
  const refused = await call(0);
  expect([refused.status, refused.headers.get('ratelimit-policy')]).toEqual([429, '"per-address";q=3;w=3600']);
  const noteOf = async () => {
    const ready = (await (await fetch(`${gate.ready.management.mcpServer}/readyz`)).json()) as any;
    return [ready.checks.rules, ready.notes.rules];
  };
  expect(await noteOf()).toEqual(['ok', 'version 1 is in force']);

  put(2, 5);
  const answer = await until(async () => {
    const again = await call(1);
    return again.status === 200 ? again : undefined;
  });
  expect(answer.headers.get('ratelimit')).toBe('"per-address";r=1;t=3600');
  expect(await noteOf()).toEqual(['ok', 'version 2 is in force']);
  expect(await gate.stop()).toBe(0);
}, 60_000);

test('a file that holds no table stops the start, which says all that is wrong with it', async () => {
  writeFileSync(file, '{"version":1,"rules":[{"id":"few"}],"tools":{},"otherTools":{"llmTokens":-1}}');
  const { printed, exited } = launch(['--port-base', '0', '--ephemeral'], [], { RULES_FILE: file });
  expect(await exited).not.toBe(0);
  const said = printed.join('');
  expect(said).toMatch(/RULES_FILE: rule few: type: /);
  expect(said).toMatch(/RULES_FILE: otherTools\.llmTokens: /);
  expect(said).not.toMatch(/\n {4}at /);
}, 60_000);

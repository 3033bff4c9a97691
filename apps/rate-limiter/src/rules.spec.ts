import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Handle } from '@portcullis/bus/bus';
import { memoryBus } from '@portcullis/bus/bus.memory';
import { memoryEventLog } from '@portcullis/bus/event-log.memory';
import type { AuditEvent } from '@portcullis/audit-schemas/envelope';
import type { Topic } from '@portcullis/contract/topics';
import { silentLog } from '@portcullis/contract/log';
import { memoryContainment } from '@portcullis/guard/containment.memory';
import { newId } from '@portcullis/guard/new-id.memory';
import { openRules, RULES_KEY, RULES_TOPIC } from '@portcullis/guard/rules-feed';
import { HOUSE_TABLE } from '@portcullis/limits/rules';
import { rulesDigest, RulesInForce } from '@portcullis/limits/rules-in-force';
import { createMetrics } from '@portcullis/service/metrics.http';
import { openRuleTable } from './rules.wire.js';
import { startIssuer, startService } from './service.fixture.js';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-rules-'));
  file = join(folder, 'rules.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

const table = (version: number, limit = 5) => ({
  version,
  rules: [{ id: 'few', type: 'requests', per: ['principal'], windows: [{ limit, windowMs: 60_000 }], fail: 'closed' }],
  tools: {},
  otherTools: { llmTokens: 0, costMicros: 0 },
});
const put = (content: unknown): void => {
  writeFileSync(`${file}.new`, typeof content === 'string' ? content : JSON.stringify(content));
  renameSync(`${file}.new`, file);
};

/** Processes of one deployment: one bus, one set of keys, one file. */
function deployment() {
  const [bus, containment] = [memoryBus(), memoryContainment()];
  const recorded: AuditEvent[] = [];
  const errors: unknown[] = [];
  let wake = (): void => {};
  const changed = <T>(value: T): T => (wake(), value);
  const log = {
    ...silentLog,
    info: () => changed(undefined),
    error: (_says: string, facts?: object) => void changed(errors.push(...((facts as any)?.problems ?? []))),
  };
  const common = { bus, containment, now: Date.now, uptime: () => performance.now(), log };
  let started = 0;
  const start = async (path: string | null = file) => {
    // to the bus, replicas are subscribers of their own
    const nth = (started += 1);
    const own = {
      ...bus,
      subscribe: (topic: Topic, group: string, handle: Handle) => bus.subscribe(topic, `${group}-${nth}`, handle),
    };
    const [rules, metrics] = [new RulesInForce(), createMetrics('rate-limiter')];
    const onEvent = (event: AuditEvent) => void changed(recorded.push(event));
    const events = memoryEventLog({ service: 'rate-limiter', newId, onEvent });
    const life = await openRuleTable(path ?? undefined, { ...common, bus: own, rules, metrics, events });
    return { rules, metrics, ...life };
  };
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise<void>((resolve) => (wake = resolve));
  };
  return { bus, containment, common, recorded, errors, start, until };
}

test('replicas of one deployment go by the table of their file, and each version is on record once', async () => {
  const { recorded, start, until, common, containment } = deployment();
  put(table(1));
  const [one, other] = await Promise.all([start(), start()]);
  const reader = new RulesInForce();
  const feed = await openRules(common.bus, 'mcp-server', reader, { ...common, keysOf: containment.keysOf });
  for (const rules of [one.rules, other.rules, reader]) expect(rules.table()).toEqual(table(1));
  put(table(2, 9));
  const all = [one.rules, other.rules, reader];
  await until(() => recorded.length === 2 && all.every(({ version }) => version === 2));
  for (const rules of all) expect(rules.table()).toEqual(table(2, 9));
  expect([one.check(), other.note()]).toEqual(['ok', 'version 2 is in force']);
  const late = await start();
  expect(late.rules.version).toBe(2);
  await Promise.all([one.stop(), other.stop(), late.stop(), feed.stop()]);
  expect(recorded.map(({ type, tenant, data }) => [type, tenant, data])).toEqual(
    [table(1), table(2, 9)].map((said) => [
      'portcullis.admin.v1',
      'default',
      {
        ...{ action: 'rules.changed', actor: 'rules-file', target: `limit-rules/${said.version}` },
        rules: { version: said.version, before: said.version - 1, sha256: rulesDigest(said as never), count: 1 },
      },
    ]),
  );
});

test('a file that is no good changes nothing, and says so in log, note and metric until it is good again', async () => {
  const { recorded, errors, start, until } = deployment();
  put(table(1));
  const { rules, metrics, note, check, stop } = await start();
  const refused = async () => /portcullis_rules_file_refused\{[^}]*\} (\d)/.exec(await metrics.metrics())?.[1];
  expect(await refused()).toBe('0');
  const open = { ...table(2).rules[0], fail: 'open', when: { tools: ['delete_customer'] } };
  put({ ...table(2), rules: [open], tools: { delete_customer: { llmTokens: 1, effects: 'none' } } });
  await until(() => errors.length === 1);
  expect(errors).toEqual(['rule few fails open for delete_customer, which has effects']);
  expect([rules.version, check(), await refused()]).toEqual([1, 'ok', '1']);
  expect(note()).toBe(`version 1 is in force; the file is refused: ${String(errors[0])}`);
  put(table(1, 6));
  await until(() => errors.length === 2);
  expect(errors[1]).toBe('version 1 is in force with other rules; give what was changed a higher version');
  put(table(2));
  await until(() => recorded.length === 2);
  expect([rules.version, note(), await refused()]).toEqual([2, 'version 2 is in force', '0']);
  await stop();
});

test('where no table was ever in force, nobody decides by the table of the house in place of a file that is no good', async () => {
  const { start } = deployment();
  put({ ...table(1), rules: [{ id: 'x' }], more: 1 });
  await expect(start()).rejects.toThrow(/RULES_FILE: rule x: type.*\n.*RULES_FILE: Unrecognized key: "more"\./);
  await expect(start(join(folder, 'none.json'))).rejects.toThrow('RULES_FILE: cannot be read (ENOENT).');
});

test('a replica that starts with such a file goes by the table that is in force', async () => {
  const { errors, start } = deployment();
  put(table(4));
  const one = await start();
  put('{');
  const other = await start();
  expect([other.rules.version, errors.length > 0]).toEqual([4, true]);
  await Promise.all([one.stop(), other.stop()]);
});

test('what somebody puts in the place of the table is passed over, and mended for whoever starts next', async () => {
  const { bus, start, until, common, containment } = deployment();
  put(table(3));
  const { rules, stop } = await start();
  const mended = new RulesInForce();
  await bus.publish(RULES_TOPIC, [{ key: RULES_KEY, value: '{"version":9}' }]);
  expect(rules.version).toBe(3);
  // whoever follows from here on has only what is said from here on
  const later = await openRules(bus, 'mcp-server', mended, { ...common, keysOf: containment.keysOf });
  expect(mended.version).toBe(0);
  await until(() => mended.version === 3);
  await Promise.all([stop(), later.stop()]);
});

test('without a file the service says what was said before, and the table of the house until then', async () => {
  const { start } = deployment();
  const without = await start(null);
  expect(without.rules.table()).toEqual(HOUSE_TABLE);
  await without.stop();
});

test('the service decides by the file, says so to whoever asks for the rules, and follows it', async () => {
  put(table(1, 2));
  const issuer = await startIssuer();
  const service = await startService(issuer, undefined, { RULES_FILE: file });
  const authorization = `Bearer ${await service.token()}`;
  const inForce = async () => (await service.send('/v1/rules', { headers: { authorization } })).body;
  expect(await inForce()).toMatchObject(table(1, 2));
  const decide = async () => (await service.post('/v1/decide', { principal: 'agt_one' })).body;
  for (const allowed of [true, true, false]) {
    expect(await decide()).toMatchObject({ allowed, limit: 2, rule: 'few', rulesVersion: 1 });
  }
  put(table(2, 3));
  while (service.rules.version < 2) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(await decide()).toMatchObject({ allowed: true, limit: 3, remaining: 0, rulesVersion: 2 });
  expect((await inForce()).version).toBe(2);
  const ready = await (await fetch(`${service.managementUrl}/readyz`)).json();
  expect(ready).toMatchObject({ checks: { rules: 'ok' }, notes: { rules: 'version 2 is in force' } });
  const metrics = await (await fetch(`${service.managementUrl}/metrics`)).text();
  expect(metrics).toMatch(/portcullis_limit_rules_version\{[^}]*\} 2\n/);
  await service.close();
  await issuer.close();
});

import { randomUUID } from 'node:crypto';
import type { Bus } from '@portcullis/bus/bus';
import type { EventLog } from '@portcullis/bus/outbox';
import type { Log } from '@portcullis/contract/log';
import type { Containment } from '@portcullis/guard/containment';
import { mending } from '@portcullis/guard/mending';
import { openRules, RULES_KEY, RULES_TOPIC } from '@portcullis/guard/rules-feed';
import type { FeedPorts } from '@portcullis/guard/statement-feed';
import { publishStatements } from '@portcullis/guard/statements';
import type { RuleTable } from '@portcullis/limits/rule-table';
import type { RulesInForce } from '@portcullis/limits/rules-in-force';
import { TOOL_EFFECTS } from '@portcullis/limits/tool-effects';
import { SettingsError } from '@portcullis/service/settings';
import { later } from '@portcullis/service/later.memory';
import { Gauge, type Registry } from 'prom-client';
import { watchRulesFile } from './rules-file.file.js';
import { RulesOffers } from './rules-offers.js';

export interface RuleTableParts extends Omit<FeedPorts, 'keysOf' | 'mend'> {
  readonly rules: RulesInForce;
  readonly bus: Bus;
  readonly containment: Containment<'rate-limiter'>;
  readonly events: EventLog;
  readonly metrics: Registry;
  readonly log: Log;
}

/** The table of limits while the service runs. */
export interface RuleTableLife {
  /** `ok`, or why this process may not decide by the table that everybody decides by */
  check(): string;
  /** for operators */
  note(): string;
  stop(): Promise<void>;
}

/**
 * Hears the table that is in force, and is the one to say another: what RULES_FILE holds, if that is given. Resolves when
 * the table that was in force before is so again, and the file was read.
 * @throws SettingsError when the file holds no table, and no other was ever in force: the house's own is not what was meant
 */
export async function openRuleTable(file: string | undefined, parts: RuleTableParts): Promise<RuleTableLife> {
  const { rules, bus, containment, events, metrics, log, now } = parts;
  const instance = randomUUID();
  const tell = (table: RuleTable): Promise<void> =>
    publishStatements(bus, RULES_TOPIC, containment.signers['rate-limiter'], [
      { key: RULES_KEY, seq: table.version, body: { by: instance, table } },
    ]);
  const offers = new RulesOffers({
    ...{ rules, effects: TOOL_EFFECTS, tell, instance, now, log },
    record: (draft) => events.append(draft, { synced: true }),
  });
  const mends = mending({ tell: async () => tell(rules.said), later, log });
  const feed = await openRules(bus, 'rate-limiter', rules, {
    ...parts,
    keysOf: containment.keysOf,
    heard: (said) => offers.heard(said),
    mend: (_topic, key) => key === RULES_KEY && rules.version > 0 && mends.mend(key),
  });
  const watching =
    file === undefined
      ? undefined
      : await watchRulesFile(
          file,
          (content) => offers.offer(content),
          () => offers.again(),
        );
  const stop = async (): Promise<void> => {
    await watching?.stop();
    await mends.stop();
    await feed.stop();
  };
  if (offers.problems.length > 0 && rules.version === 0) {
    await stop();
    throw new SettingsError(offers.problems.map((says) => ({ variable: 'RULES_FILE', says: `${says}.` })));
  }
  new Gauge({
    name: 'portcullis_rules_file_refused',
    help: '1 while RULES_FILE holds what is not taken, and the table before it stays in force',
    registers: [metrics],
    collect() {
      this.set(offers.problems.length > 0 ? 1 : 0);
    },
  });
  return {
    check: () => (!feed.ready() ? 'not heard' : offers.isWaiting ? 'not told yet' : 'ok'),
    note: () => offers.state(),
    stop,
  };
}

import type { Bus } from '@portcullis/bus/bus';
import type { PassedOver, Statement } from '@portcullis/contract/containment';
import { ruleTable } from '@portcullis/limits/rule-table';
import { rulesDigest, type RulesInForce } from '@portcullis/limits/rules-in-force';
import * as z from 'zod';
import { statementFeed, type Feed, type FeedPorts } from './statement-feed.js';

export const RULES_TOPIC = 'portcullis.limit-rules';
/** One table is for all tenants, none of which begins with a slash. */
export const RULES_KEY = '/table';

/** What the rate limiter says of the table that is in force; `seq` of the statement is its version. */
export const rulesSaid = z.strictObject({
  /** which process said it, so that of several that say the same one knows that it was the first */
  by: z.string().min(1).max(64),
  table: ruleTable,
});
export type RulesSaid = z.output<typeof rulesSaid>;

export interface HeardRules {
  readonly by: string;
  readonly version: number;
  /** SHA-256 (hex) of the table */
  readonly digest: string;
}

export interface RulesFeedPorts extends FeedPorts {
  /** is told of each table that is rightly said, before it is compared with the one in force */
  heard?(said: HeardRules): void;
}

/**
 * Listens for the table of rate limits. Resolves when the topic's present content has been handled, so that nothing is
 * decided by a table from before a restart. What is older than the table in force changes nothing, and neither does another
 * table of its version: the first one that was said is what that version means.
 * @param group the service that listens
 * @param rules gets each newer table
 */
export function openRules(
  bus: Bus,
  group: string,
  rules: RulesInForce,
  ports: RulesFeedPorts,
): Promise<Pick<Feed, 'ready' | 'stop'>> {
  const take = ({ key, seq, body }: Statement): PassedOver | undefined => {
    const parsed = rulesSaid.safeParse(body);
    if (!parsed.success) return 'not_understood';
    const { by, table } = parsed.data;
    const { version } = table;
    if (key !== RULES_KEY || seq !== version) return 'misplaced';
    const digest = rulesDigest(table);
    ports.heard?.({ by, version, digest });
    const succession = rules.take(table);
    if (succession === 'newer')
      ports.log.info('limits go by another table', { version, digest, rules: table.rules.length });
    if (succession === 'differs')
      ports.log.error('a table of the version in force has other rules', { version, digest });
    return succession === 'older' || succession === 'differs' ? 'out_of_date' : undefined;
  };
  const stillCounts = (key: string): boolean => key === RULES_KEY && rules.version > 0;
  return statementFeed(bus, RULES_TOPIC, group, { take, stillCounts }, ports);
}

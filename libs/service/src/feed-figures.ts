import { SIGNED_TOPICS, type BeatingTopic, type SignedTopic, type PassedOver } from '@portcullis/contract/containment';
import type { Feeds } from '@portcullis/guard/feeds';
import type { RulesInForce } from '@portcullis/limits/rules-in-force';
import { Counter, Gauge, type Registry } from 'prom-client';

const BEATING = (Object.keys(SIGNED_TOPICS) as SignedTopic[]).filter(
  (topic): topic is BeatingTopic => SIGNED_TOPICS[topic].beats,
);

/** What the feeds of signed topics hear, for /metrics. */
export function feedFigures(registry: Registry) {
  const registers = [registry];
  const counter = new Counter({
    name: 'portcullis_containment_passed_over_total',
    help: 'Messages on the signed topics that were no statement of their signer, or out of date, and changed nothing',
    labelNames: ['topic', 'reason'],
    registers,
  });
  return {
    passedOver: (topic: SignedTopic, reason: PassedOver): void => counter.inc({ topic, reason }),
    /** which table of rate limits decisions go by */
    rules(rules: RulesInForce): void {
      new Gauge({
        name: 'portcullis_limit_rules_version',
        help: 'Version of the table of rate limits that this process decides by; 0 = the table of the house',
        registers,
        collect() {
          this.set(rules.version);
        },
      });
    },
    /** seconds since the last heartbeat, asked when they are read */
    ages({ standing, revocations }: Feeds): void {
      const feeds = { 'portcullis.standing': standing, 'portcullis.revocations': revocations };
      new Gauge({
        name: 'portcullis_feed_age_seconds',
        help: 'Seconds since the signer of a containment topic was heard; above 3 only tools without effects are served',
        labelNames: ['topic'],
        registers,
        collect() {
          for (const topic of BEATING) this.set({ topic }, feeds[topic].ageMs() / 1000);
        },
      });
    },
  };
}

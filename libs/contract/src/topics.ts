/** One topic of the bus. */
export interface TopicRow {
  /** what keeps its order; the tenant comes first */
  readonly key: string;
  /** the last message per key is kept for ever, and every subscriber, of whatever group, gets all of them first */
  readonly compacted: boolean;
  /** how many readers of one group can share it; fixed once the topic exists, since it says where a key goes */
  readonly partitions: number;
  /** how long a message is kept that is not compacted away, days */
  readonly days?: number;
  readonly carries: string;
  /** what a value is, and which module says so */
  readonly schema: string;
}

/** What travels on the bus. A durable bus makes the topics that are missing as their rows say. */
export const TOPICS = {
  'portcullis.events': {
    key: 'tenant/principal',
    compacted: false,
    partitions: 12,
    days: 7,
    carries: 'audit events',
    schema: 'CloudEvents (audit-schemas/envelope)',
  },
  'portcullis.signals': {
    key: 'tenant/principal',
    compacted: false,
    partitions: 6,
    days: 7,
    carries: 'security signals',
    schema: 'CloudEvents of type portcullis.signal.v1 (audit-schemas/envelope)',
  },
  'portcullis.approvals': {
    key: 'tenant/approval',
    compacted: false,
    partitions: 3,
    days: 7,
    carries: 'what people are asked to approve, and what they answered',
    schema: 'CloudEvents of type portcullis.approval.v1 (audit-schemas/envelope)',
  },
  'portcullis.revocations': {
    key: 'tenant/what/id',
    compacted: true,
    // one, so that whoever hears a heartbeat has heard all that was said before it
    partitions: 1,
    carries: 'what was revoked before its tokens expired',
    schema: 'Statement (contract/containment) of a Revocation (contract/revocation)',
  },
  'portcullis.standing': {
    key: 'tenant/principal',
    compacted: true,
    partitions: 1,
    carries: 'the standing of a principal',
    schema: 'Statement (contract/containment) of a Standing (contract/standing)',
  },
  'portcullis.limit-rules': {
    key: '/table',
    compacted: true,
    partitions: 1,
    carries: 'the table of rate limits that is in force',
    schema: 'Statement (contract/containment) of a RulesSaid (guard/rules-feed)',
  },
  'portcullis.dead-letters': {
    key: 'tenant/topic/partition/offset',
    compacted: false,
    partitions: 1,
    days: 30,
    carries: 'messages that a subscriber could not take, and why',
    schema: 'DeadLetter (bus/dead-letters)',
  },
} as const satisfies Record<string, TopicRow>;
export type Topic = keyof typeof TOPICS;

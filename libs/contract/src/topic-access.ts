import { TOPICS, type Topic } from './topics.js';

/** Who talks to the brokers, each as a user of its own. */
export const BUS_USERS = ['auth-server', 'mcp-server', 'rate-limiter', 'security-analytics', 'operator'] as const;
/** A service, or whoever looks after dead letters by the command line tool. */
export type BusUser = (typeof BUS_USERS)[number];
export type BusService = Exclude<BusUser, 'operator'>;

/** Who may read and write one topic; nobody else may. */
export interface Access {
  readonly read: readonly BusUser[];
  readonly write: readonly BusUser[];
}

const SERVICES: readonly BusService[] = ['auth-server', 'mcp-server', 'rate-limiter', 'security-analytics'];

/**
 * Each topic's readers and writers. No user may make or change a topic: whoever runs the cluster makes them beforehand.
 * The operator writes where a dead letter may be published again, which is never a topic whose messages are signed.
 */
export const TOPIC_ACCESS = {
  'portcullis.events': { read: ['security-analytics'], write: [...SERVICES, 'operator'] },
  // nobody says or hears anything there yet
  'portcullis.signals': { read: [], write: [] },
  'portcullis.approvals': { read: [], write: [] },
  'portcullis.revocations': { read: SERVICES, write: ['auth-server'] },
  'portcullis.standing': { read: SERVICES, write: ['security-analytics'] },
  'portcullis.limit-rules': { read: ['mcp-server', 'rate-limiter'], write: ['rate-limiter'] },
  'portcullis.dead-letters': { read: ['security-analytics', 'operator'], write: [...SERVICES, 'operator'] },
} as const satisfies Record<Topic, Access>;

/** The topics that a user has to do with, in the order of the table. */
export const topicsOf = (user: BusUser): Topic[] =>
  (Object.keys(TOPICS) as Topic[]).filter((topic) => {
    const { read, write }: Access = TOPIC_ACCESS[topic];
    return read.includes(user) || write.includes(user);
  });

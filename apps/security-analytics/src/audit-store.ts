import type { BehaviourState, Standing } from '@portcullis/contract/standing';
import type { PrincipalId } from '@portcullis/contract/ids';
import type { Behaviour, BehaviourEvent, Transition } from './behaviour.js';
import type { Identity } from './evidence.js';
import type { Accepted, DeadLetter } from './line.js';

/** Every tenant, for callers with platform:admin. No tenant can be called so. */
export const ALL_TENANTS = '*';

/** A principal with its behaviour as it was last written; `settle` says what it is now. */
export interface Agent extends Identity {
  readonly behaviour: Behaviour;
}

export interface AgentTransition extends Identity {
  readonly transition: Transition;
}

/** What became of a batch. */
export interface Taken {
  /** events that were not there before */
  readonly added: number;
  /** events that were */
  readonly repeated: number;
  readonly deadLetters: number;
  readonly transitions: number;
  /** principals of drill tenants that are over, which were not Normal */
  readonly forgotten: readonly Identity[];
}

export type Whose = Pick<Identity, 'tenant' | 'agent'>;

/** A standing as it was in the database at a time. */
export interface StandingRead extends Standing {
  /**
   * microseconds since epoch by the database's clock, from before it was read: whoever reads after a transition was
   * committed has more than whoever has not seen it
   */
  readonly readAt: number;
}

/** Where a transition is announced: `published` on the standing feed, `recorded` in the audit log. */
export type Announcement = 'published' | 'recorded';

/** A transition that is committed and not announced yet. */
export interface Unannounced extends AgentTransition {
  /** names it to {@link AuditStore.markAnnounced} */
  readonly position: string;
}

export type Decision =
  | { readonly kind: 'moved'; readonly agent: Agent }
  | { readonly kind: 'illegal'; readonly from: BehaviourState }
  | { readonly kind: 'unknown' };

/** Writes of the audit store. Each call is one transaction, so that a crash leaves all of it or nothing. */
export interface AuditStore {
  /** Stores events; those that are new move behaviour, in the order given. The same batch again changes nothing. */
  take(accepted: readonly Accepted[], dead: readonly DeadLetter[]): Promise<Taken>;
  /** Moves an agent as a person says, if the table lets them. */
  decide(tenant: string, agent: PrincipalId, event: BehaviourEvent & { kind: 'person' }): Promise<Decision>;
  /** Oldest first. */
  unannounced(how: Announcement, limit: number): Promise<Unannounced[]>;
  markAnnounced(how: Announcement, positions: readonly string[]): Promise<void>;
  /** What the standing feed must know of these principals; of every one that is not Normal when none are named. */
  standings(of?: readonly Whose[]): Promise<StandingRead[]>;
}

/** What people ask for; absent = any. */
export interface AgentFilter {
  readonly clientId?: string | undefined;
}
export interface EventFilter {
  /** a principal's id, or a client id */
  readonly agent?: string | undefined;
  readonly type?: string | undefined;
  readonly tool?: string | undefined;
  readonly outcome?: string | undefined;
  readonly correlationId?: string | undefined;
  /** RFC 3339; inclusive */
  readonly since?: string | undefined;
  /** RFC 3339; exclusive */
  readonly until?: string | undefined;
}

/** A page begins after `after`: the sort words of the last item of the page before. */
export interface Page {
  readonly limit: number;
  readonly after?: readonly [string, string] | undefined;
}
/** `next` is the `after` of the next page; undefined = this is the last one. */
export interface Paged<T> {
  readonly items: readonly T[];
  readonly next: readonly [string, string] | undefined;
}

/** Reads of the audit store. `tenants` is one tenant or {@link ALL_TENANTS}. */
export interface AuditQuestions {
  /** By tenant and id. */
  agents(tenants: string, filter: AgentFilter, page: Page): Promise<Paged<Agent>>;
  /** The principals of that id or client id; at most 20. */
  named(tenants: string, idOrClientId: string): Promise<Agent[]>;
  /** Newest first. */
  transitions(tenant: string, agent: PrincipalId, limit: number): Promise<Transition[]>;
  /** The events as they were said, newest first. */
  events(tenants: string, filter: EventFilter, page: Page): Promise<Paged<unknown>>;
}

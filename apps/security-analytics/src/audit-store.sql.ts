import type { PrincipalId } from '@portcullis/contract/ids';
import type { Database } from '@portcullis/sql/database';
import { repeatable } from '@portcullis/sql/transaction.sql';
import { sql, type Kysely, type Transaction } from 'kysely';
import type {
  Agent,
  AgentTransition,
  Announcement,
  AuditStore,
  Decision,
  StandingRead,
  Taken,
  Unannounced,
  Whose,
} from './audit-store.js';
import {
  agentOf,
  agentRow,
  AUDIT,
  eventRow,
  time,
  transitionOf,
  transitionRow,
  type AuditTables,
} from './audit-tables.js';
import { firstSeen, move, personMay, settle, type BehaviourEvent } from './behaviour.js';
import { drillRemoved, evidenceOf, type Evidence, type Identity } from './evidence.js';
import { deadLetter, type Accepted, type DeadLetter } from './line.js';
import { keyOf, reckon } from './reckon.js';

type Db = Kysely<AuditTables>;
type Trx = Transaction<AuditTables>;

/** Rows of one statement; Postgres takes 65,535 parameters. */
const ROWS = 1000;
const MAX_DEAD_LETTERS = 10_000;

/** The audit store on SQL. The role it needs may only insert and select in `events`. */
export function sqlAuditStore(database: Database): AuditStore {
  // events of all tenants come in one batch, and what they lead to is announced in one feed
  const db = database.everyTenant<AuditTables>(AUDIT);
  return {
    take: (accepted, dead) => repeatable(db, (trx) => take(trx, accepted, dead)),
    decide: (tenant, agent, event) =>
      repeatable(database.ofTenant<AuditTables>(tenant, AUDIT), (trx) => decide(trx, tenant, agent, event)),
    unannounced: (how, limit) => unannounced(db, how, limit),
    markAnnounced: (how, positions) => markAnnounced(db, how, positions),
    standings: (of) => standings(db, of),
  };
}

async function take(trx: Trx, accepted: readonly Accepted[], dead: readonly DeadLetter[]): Promise<Taken> {
  const { added, repeated } = await insertEvents(trx, accepted);
  const letters = [...dead, ...(await impostors(trx, repeated))];
  const evidence = added.flatMap(({ event }) => evidenceOf(event) ?? []);
  const { changed, transitions } = reckon(await lockAgents(trx, evidence), evidence);
  await writeAgents(trx, changed);
  await writeTransitions(trx, transitions);
  const forgotten = await forget(
    trx,
    added.flatMap(({ event }) => drillRemoved(event) ?? []),
  );
  await insertDeadLetters(trx, letters);
  return {
    added: added.length,
    repeated: repeated.length,
    deadLetters: letters.length,
    transitions: transitions.length,
    forgotten,
  };
}

async function insertEvents(
  trx: Trx,
  accepted: readonly Accepted[],
): Promise<{ added: Accepted[]; repeated: Accepted[] }> {
  const fresh = new Set<string>();
  for (const some of inChunks(accepted)) {
    const rows = await trx
      .insertInto('events')
      .values(some.map(eventRow))
      .onConflict((conflict) => conflict.columns(['tenant', 'id']).doNothing())
      .returning(['tenant', 'id'])
      .execute();
    for (const row of rows) fresh.add(eventKey(row));
  }
  const added: Accepted[] = [];
  const repeated: Accepted[] = [];
  // deleting the key as it is met makes a second copy inside the batch a repeated one
  for (const one of accepted) (fresh.delete(eventKey(one.event)) ? added : repeated).push(one);
  return { added, repeated };
}

/** An event that comes again says the same again; one that does not has taken another's id. */
async function impostors(trx: Trx, repeated: readonly Accepted[]): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  for (const some of inChunks(repeated)) {
    const ids = some.map(({ event }) => event.id);
    const rows = await trx.selectFrom('events').select(['tenant', 'id', 'line']).where('id', 'in', ids).execute();
    const stored = new Map(rows.map((row) => [eventKey(row), row.line]));
    for (const { event, line } of some) {
      if (stored.get(eventKey(event)) !== line) found.push(deadLetter(line, 'another event has this id'));
    }
  }
  return found;
}

/** The agents of the evidence, made where they are new, and nobody else's until the transaction ends. */
async function lockAgents(trx: Trx, evidence: readonly Evidence[]): Promise<Map<string, Agent>> {
  const first = new Map<string, Agent>();
  for (const { event, ...identity } of evidence) {
    if (!first.has(keyOf(identity))) first.set(keyOf(identity), { ...identity, behaviour: firstSeen(event.at) });
  }
  // in one order everywhere, so that two transactions never wait for each other
  const inOrder = [...first].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, agent]) => agent);
  const agents = new Map<string, Agent>();
  for (const some of inChunks(inOrder)) {
    await trx
      .insertInto('agents')
      .values(some.map(agentRow))
      .onConflict((conflict) => conflict.columns(['tenant', 'agent']).doNothing())
      .execute();
    const rows = await trx
      .selectFrom('agents')
      .selectAll()
      .where((eb) =>
        eb(
          eb.refTuple('tenant', 'agent'),
          'in',
          some.map((one) => eb.tuple(one.tenant, one.agent)),
        ),
      )
      .orderBy('tenant')
      .orderBy('agent')
      .forUpdate()
      .execute();
    for (const row of rows) agents.set(keyOf(row), agentOf(row));
  }
  return agents;
}

async function writeAgents(trx: Trx, agents: readonly Agent[]): Promise<void> {
  for (const some of inChunks(agents)) {
    await trx
      .insertInto('agents')
      .values(some.map(agentRow))
      .onConflict((conflict) =>
        conflict.columns(['tenant', 'agent']).doUpdateSet((eb) => ({
          state: eb.ref('excluded.state'),
          since: eb.ref('excluded.since'),
          why: eb.ref('excluded.why'),
          denials: eb.ref('excluded.denials'),
          memory: eb.ref('excluded.memory'),
        })),
      )
      .execute();
  }
}

async function writeTransitions(trx: Trx, transitions: readonly AgentTransition[]): Promise<void> {
  for (const some of inChunks(transitions)) {
    await trx.insertInto('transitions').values(some.map(transitionRow)).execute();
  }
}

/** Drops what is known of the behaviour in drill tenants that are over; their events stay. */
async function forget(trx: Trx, tenants: readonly string[]): Promise<Identity[]> {
  const contained: Identity[] = [];
  for (const tenant of new Set(tenants)) {
    const rows = await trx.deleteFrom('agents').where('tenant', '=', tenant).returningAll().execute();
    contained.push(...rows.map(agentOf).filter(({ behaviour }) => behaviour.state !== 'Normal'));
    await trx.deleteFrom('transitions').where('tenant', '=', tenant).execute();
  }
  return contained.map(({ tenant, agent, clientId, sub }) => ({ tenant, agent, clientId, sub }));
}

async function insertDeadLetters(trx: Trx, letters: readonly DeadLetter[]): Promise<void> {
  if (letters.length === 0) return;
  const rows = letters.map(({ hash, reason, line, length }) => ({
    hash,
    reason: shown(reason),
    line: shown(line),
    length,
  }));
  for (const some of inChunks(rows)) {
    await trx
      .insertInto('dead_letters')
      .values(some)
      .onConflict((conflict) => conflict.column('hash').doNothing())
      .execute();
  }
  const newest = trx.selectFrom('dead_letters').select('hash').orderBy('received_at', 'desc').orderBy('hash');
  await trx.deleteFrom('dead_letters').where('hash', 'in', newest.offset(MAX_DEAD_LETTERS)).execute();
}
/** A dead letter can hold anything, and is never hashed again. */
const shown = (text: string): string => text.replace(/[\0\p{Cs}]/gu, '\uFFFD');

async function decide(
  trx: Trx,
  tenant: string,
  agent: PrincipalId,
  event: BehaviourEvent & { kind: 'person' },
): Promise<Decision> {
  const rows = trx.selectFrom('agents').selectAll().where('tenant', '=', tenant).where('agent', '=', agent);
  const row = await rows.forUpdate().executeTakeFirst();
  if (!row) return { kind: 'unknown' };
  const before = agentOf(row);
  const { state } = settle(before.behaviour, event.at).next;
  if (!personMay(state).includes(event.to)) return { kind: 'illegal', from: state };
  const { next, transitions } = move(before.behaviour, event);
  const { behaviour: _before, ...identity } = before;
  const after: Agent = { ...identity, behaviour: next };
  await writeAgents(trx, [after]);
  await writeTransitions(
    trx,
    transitions.map((transition) => ({ ...identity, transition })),
  );
  return { kind: 'moved', agent: after };
}

async function unannounced(db: Db, how: Announcement, limit: number): Promise<Unannounced[]> {
  const rows = await db
    .selectFrom('transitions')
    .selectAll()
    .where(how, '=', sql.lit(false))
    .orderBy('position')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    tenant: row.tenant,
    agent: row.agent as PrincipalId,
    clientId: row.client_id,
    sub: row.sub ?? undefined,
    transition: transitionOf(row),
    position: String(row.position),
  }));
}

async function markAnnounced(db: Db, how: Announcement, positions: readonly string[]): Promise<void> {
  for (const some of inChunks(positions)) {
    await db.updateTable('transitions').set(how, true).where('position', 'in', some).execute();
  }
}

async function standings(db: Db, of: readonly Whose[] | undefined): Promise<StandingRead[]> {
  const agents = db
    .selectFrom('agents')
    .select(['tenant', 'agent', 'state', 'since'])
    .select(sql<string>`(extract(epoch from statement_timestamp()) * 1000000)::bigint`.as('read_at'))
    .orderBy('tenant')
    .orderBy('agent');
  const rows =
    of === undefined
      ? await agents.where('state', '<>', sql.lit('Normal')).execute()
      : of.length === 0
        ? []
        : await agents
            .where((eb) =>
              eb(
                eb.refTuple('tenant', 'agent'),
                'in',
                of.map((one) => eb.tuple(one.tenant, one.agent)),
              ),
            )
            .execute();
  return rows.map(({ tenant, agent, state, since, read_at: readAt }) => ({
    tenant,
    agent: agent as PrincipalId,
    state,
    since: time(since.getTime()),
    readAt: Number(readAt),
  }));
}

const eventKey = ({ tenant, id }: { tenant: string; id: string }): string => `${tenant}/${id.toLowerCase()}`;

function* inChunks<T>(all: readonly T[]): Generator<T[]> {
  for (let at = 0; at < all.length; at += ROWS) yield all.slice(at, at + ROWS);
}

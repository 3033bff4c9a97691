// Reads events and says when so many more were handled: as security-analytics does, its store on Postgres or one that only
// counts, or with the bare client.
import { platformaticBus } from '@portcullis/bus/bus.platformatic.kafka';
import { silentLog } from '@portcullis/contract/log';
import { sqlAuditStore } from '@portcullis/security-analytics/audit-store.sql';
import { intake } from '@portcullis/security-analytics/intake';
import { migrate } from '@portcullis/sql/migrate.sql';
import { openDatabase } from '@portcullis/sql/open-database.sql';
import { bare } from '../bus/bare.mjs';
import { CLIENT, GROUP, tell, TOPIC } from './shared.mjs';

const { BENCH_BROKER: broker, BENCH_PREFIX: topicPrefix, BENCH_BARE, BENCH_DATABASE: database } = process.env;
let [heard, expected] = [0, Infinity];
const hear = (count) => {
  heard += count;
  if (heard < expected) return;
  expected = Infinity;
  tell('heard');
};
process.on('message', ({ expect }) => {
  expected = expect;
  hear(0);
});
process.on('disconnect', () => process.exit());

if (BENCH_BARE) {
  await bare[CLIENT](broker).consumer(topicPrefix + TOPIC, `${topicPrefix}${GROUP}`, hear);
} else {
  const store = database ? await onPostgres() : { take: async (accepted) => taken(accepted.length) };
  const announcer = { announce: async () => {}, forget: async () => {} };
  const handle = intake({ store, announcer, log: silentLog, counted: ({ added }) => hear(added) });
  const bus = platformaticBus({ brokers: [broker], clientId: GROUP, topicPrefix, log: silentLog });
  await bus.subscribe(TOPIC, GROUP, handle);
}
tell('ready');

async function onPostgres() {
  const opened = await openDatabase(database, { onBroken: () => {} });
  await migrate(opened, 'audit', new URL('../../../apps/security-analytics/migrations/', import.meta.url));
  return sqlAuditStore(opened);
}

const taken = (added) => ({ added, repeated: 0, deadLetters: 0, transitions: 0, forgotten: [] });

import { migrate } from '@portcullis/sql/migrate.sql';
import type { Database } from '@portcullis/sql/database';
import { sql } from 'kysely';
import { auditStoreContract } from './audit-store.contract.js';
import { AUDIT, type AuditTables } from './audit-tables.js';
import { sqlAuditStore } from './audit-store.sql.js';
import { sqlAuditQuestions } from './audit-questions.sql.js';
import { call } from './events.fixture.js';

/** What security analytics keeps, in a database of either kind. @param open an empty one */
export function auditDatabaseContract(open: () => Promise<Database>): void {
  let database: Database;
  afterAll(() => database.close());

  auditStoreContract(async () => {
    database = await open();
    await migrate(database, 'audit', new URL('../migrations/', import.meta.url));
    const db = database.schema<AuditTables>(AUDIT);
    return {
      store: sqlAuditStore(database),
      questions: sqlAuditQuestions(database),
      deadLetters: () => db.selectFrom('dead_letters').selectAll().orderBy('received_at').execute(),
    };
  });

  test('the database itself refuses to change or remove an event', async () => {
    await sqlAuditStore(database).take([call()], []);
    const db = database.everyTenant<{ events: { tool: string } }>(AUDIT);
    for (const attempt of [db.updateTable('events').set('tool', 'x'), db.deleteFrom('events')]) {
      await expect(attempt.execute()).rejects.toMatchObject({ message: 'events are only ever added' });
    }
    await expect(sql`truncate audit.events`.execute(db)).rejects.toMatchObject({
      message: 'events are only ever added',
    });
  });
}

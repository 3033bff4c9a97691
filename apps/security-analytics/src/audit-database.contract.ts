import { migrate } from '@portcullis/sql/migrate.sql';
import type { Database } from '@portcullis/sql/database';
import { sql } from 'kysely';
import { auditStoreContract } from './audit-store.contract.js';
import { auditSchema, sqlAuditStore } from './audit-store.sql.js';
import { sqlAuditQuestions } from './audit-questions.sql.js';
import { call } from './events.fixture.js';

/** What security analytics keeps, in a database of either kind. @param open an empty one */
export function auditDatabaseContract(open: () => Promise<Database>): void {
  let database: Database;
  afterAll(() => database.close());

  auditStoreContract(async () => {
    database = await open();
    await migrate(database, 'audit', new URL('../migrations/', import.meta.url));
    const db = auditSchema(database);
    return {
      store: sqlAuditStore(db),
      questions: sqlAuditQuestions(db),
      deadLetters: () => db.selectFrom('dead_letters').selectAll().orderBy('received_at').execute(),
    };
  });

  test('the database itself refuses to change or remove an event', async () => {
    await sqlAuditStore(auditSchema(database)).take([call()], []);
    const db = database.schema<{ events: { tool: string } }>('audit');
    for (const attempt of [db.updateTable('events').set('tool', 'x'), db.deleteFrom('events')]) {
      await expect(attempt.execute()).rejects.toMatchObject({ message: 'events are only ever added' });
    }
    await expect(sql`truncate audit.events`.execute(db)).rejects.toMatchObject({
      message: 'events are only ever added',
    });
  });
}

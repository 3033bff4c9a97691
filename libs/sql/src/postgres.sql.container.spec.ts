import { expect, it } from '@jest/globals';
import { testPostgres } from './postgres.fixture.js';

it('answers', async () => {
  const db = await testPostgres().open();
  await db.ping();
  await db.close();
});

import { setImmediate as nextTurn } from 'node:timers/promises';
import { migrate } from '@portcullis/sql/migrate.sql';
import { openTestDatabase } from '@portcullis/sql/database.fixture';
import { cachedClients } from './client-cache.memory.js';
import { clientsContract } from './clients.contract.js';
import type { ClientRecord, Clients } from './clients.js';
import { sqlClients } from './clients.sql.js';

describe('clients in SQL behind the cache', () => {
  const closing: (() => Promise<void>)[] = [];
  afterAll(() => Promise.all(closing.map((close) => close())));
  clientsContract(async () => {
    const database = await openTestDatabase();
    closing.push(() => database.close());
    await migrate(database, 'auth', new URL('../migrations/', import.meta.url));
    return cachedClients(sqlClients(database), Date.now);
  });
});

function store(most?: number) {
  const rows = new Map<string, ClientRecord>();
  const asked: string[] = [];
  const state = { now: 1_000_000, broken: false, answer: Promise.resolve() };
  const clients = {
    async find(id: string) {
      asked.push(id);
      const row = rows.get(id);
      await state.answer;
      if (state.broken) throw new Error('no database');
      // as a database does: an object of its own each time
      return row && structuredClone(row);
    },
    async change(_tenant: string, id: string, change: object) {
      const row = rows.get(id);
      if (row) rows.set(id, { ...row, ...change, version: row.version + 1 });
      return rows.get(id);
    },
    async remove(_tenant: string, id: string) {
      return rows.delete(id);
    },
    async add(_tenant: string, client: ClientRecord) {
      rows.set(client.clientId, client);
      return true;
    },
  } as unknown as Clients;
  const add = (...ids: string[]) => {
    for (const clientId of ids) rows.set(clientId, { clientId, name: 'n', version: 1 } as ClientRecord);
  };
  return { rows, asked, state, add, cached: cachedClients(clients, () => state.now, most) };
}
const yes = () => Promise.resolve();

test('a client is asked for once a second, and stays the same object while it is the same', async () => {
  const { cached, asked, state, add } = store();
  add('a');
  const first = await cached.find('a');
  state.now += 999;
  expect(await cached.find('a')).toBe(first);
  expect(asked).toEqual(['a']);
  state.now += 1;
  expect(await cached.find('a')).toBe(first);
  expect(asked).toEqual(['a', 'a']);
});

test('what another process changed counts after a second', async () => {
  const { cached, state, add, rows } = store();
  add('a');
  await cached.find('a');
  rows.set('a', { ...rows.get('a')!, disabled: true });
  state.now += 1000;
  expect(await cached.find('a')).toMatchObject({ disabled: true });
});

test('the second begins when the store is asked, not when it answers', async () => {
  const { cached, state, add, asked } = store();
  add('a');
  let answer = (): void => {};
  state.answer = new Promise((resolve) => (answer = resolve));
  const slow = cached.find('a');
  state.now += 1000;
  answer();
  await slow;
  await cached.find('a');
  expect(asked).toEqual(['a', 'a']);
});

test('those who ask at once share one question', async () => {
  const { cached, asked, add } = store();
  add('a');
  const found = await Promise.all(Array.from({ length: 50 }, () => cached.find('a')));
  expect([new Set(found).size, asked.length]).toEqual([1, 1]);
});

test('what is changed here counts at once, for those who ask while the old answer is on its way too', async () => {
  const { cached, state, add } = store();
  add('a');
  await cached.find('a');
  await cached.change('t', 'a', { disabled: true }, yes);
  expect(await cached.find('a')).toMatchObject({ disabled: true });

  state.now += 1000;
  let answer = (): void => {};
  state.answer = new Promise((resolve) => (answer = resolve));
  const early = cached.find('a');
  await cached.change('t', 'a', { disabled: false }, yes);
  const late = cached.find('a');
  answer();
  expect([await early, await late]).toMatchObject([{ disabled: true }, { disabled: false }]);
  expect(await cached.find('a')).toMatchObject({ disabled: false });
  await cached.remove('t', 'a', yes);
  expect(await cached.find('a')).toBeUndefined();
});

test('a client that is added is there at once, though it was asked for before', async () => {
  const { cached } = store();
  expect(await cached.find('a')).toBeUndefined();
  await cached.add('t', { clientId: 'a', name: 'n' } as ClientRecord, yes);
  expect(await cached.find('a')).toMatchObject({ name: 'n' });
});

test('nobody’s ids are not kept, and no more clients than were asked for', async () => {
  const { cached, asked, add } = store(2);
  add('a', 'b', 'c');
  for (const id of ['x', 'x', 'a', 'b', 'c', 'b', 'a']) await cached.find(id);
  expect(asked).toEqual(['x', 'x', 'a', 'b', 'c', 'a']);
});

test('a store that fails is asked again', async () => {
  const { cached, state, add } = store();
  add('a');
  state.broken = true;
  await expect(cached.find('a')).rejects.toThrow('no database');
  state.broken = false;
  await nextTurn();
  expect(await cached.find('a')).toBeDefined();
});

test('a clock that is set back does not make a client last', async () => {
  const { cached, state, add, asked } = store();
  add('a');
  await cached.find('a');
  state.now -= 60_000;
  await cached.find('a');
  expect(asked).toHaveLength(2);
});

import * as z from 'zod';
import { TOOLS } from './tools.js';

/** What a tool's answer may hold, as its schema says. */
const shows = (field: string) =>
  [...TOOLS.values()].filter(({ output }) => JSON.stringify(z.toJSONSchema(output)).includes(`"${field}":`));
const names = (tools: ReturnType<typeof shows>) => tools.map(({ name }) => name);

test('a tool whose answer shows personal data says so in its effects', () => {
  const personal = shows('email');
  expect(names(personal)).toEqual(
    expect.arrayContaining(['get_customer_info', 'update_customer', 'read_all_customers', 'export_data']),
  );
  const silent = personal.filter(({ effects }) => !effects.some((effect) => effect.startsWith('reads-pii')));
  expect(names(silent)).toEqual([]);
});

test('a tool whose answer shows tickets, which customers write, says so; the one that opens them shows its own words', () => {
  const silent = shows('subject').filter(({ effects }) => !effects.includes('reads-untrusted'));
  expect(names(silent)).toEqual(['create_support_ticket']);
});

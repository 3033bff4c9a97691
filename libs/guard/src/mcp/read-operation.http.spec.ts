import type { AuditEvent } from '@portcullis/audit-schemas/envelope';
import { foreignIssuer, served } from '../protect.fixture.js';

/** A call of `read` with arguments as they are written. */
const call = (args: string, id = '1'): string =>
  `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"read","arguments":${args}}}`;
// around the arguments are three objects, with six members
const nested = (depth: number): string => call(`{"a":${'['.repeat(depth - 3)}${']'.repeat(depth - 3)}}`);
const members = (count: number): string =>
  call(`{${Array.from({ length: count - 6 }, (_, n) => `"k${n}":1`).join(',')}}`);
const MIB = 1024 * 1024;

test.each([
  ['1 MiB', (more: number) => call('{}').padEnd(MIB + more), 413, undefined],
  ['a text of 960 KiB', (more: number) => call(`{"text":"${'x'.repeat(960 * 1024 + more)}"}`), 400, 'long_text'],
  ['32 levels', (more: number) => nested(32 + more), 400, 'too_deep'],
  ['10,000 members', (more: number) => members(10_000 + more), 400, 'too_many_keys'],
  ['a key of 256 units', (more: number) => call(`{"${'k'.repeat(256 + more)}":1}`), 400, 'long_key'],
  ['an id of 256 units', (more: number) => call('{}', `"${'i'.repeat(256 + more)}"`), 400, 'a very long id'],
])('a body may have %s unless settings say otherwise, and no more', async (_what, body, status, reason) => {
  const events: AuditEvent[] = [];
  const issuer = await foreignIssuer();
  const gate = await served(issuer, { onEvent: (event) => events.push(event) });
  try {
    expect([(await gate.post(body(0))).status, (await gate.post(body(1))).status]).toEqual([200, status]);
    expect(events.map(({ data }) => (data as { reason?: string }).reason)).toEqual([undefined, reason]);
  } finally {
    await gate.close();
    issuer.close();
  }
});

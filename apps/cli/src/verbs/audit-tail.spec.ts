import { FIRST_PREV, type AuditEvent } from '@portcullis/audit-schemas/envelope';
import type { Api, Query } from '../api.js';
import type { VerbPorts } from '../verb.js';
import { auditTail } from './audit-tail.js';

const ID = '0199a0b0-0000-7000-8000-000000000001';
const envelope = {
  specversion: '1.0',
  id: ID,
  source: '/portcullis/mcp-server/a1',
  datacontenttype: 'application/json',
  tenant: 'default',
  prev: FIRST_PREV,
} as const;
const call = { correlationId: ID, denial: false, http: 200, durationMs: 1 };
const newestFirst: AuditEvent[] = [
  {
    ...envelope,
    seq: 4,
    time: '2026-11-20T10:00:03.000Z',
    type: 'portcullis.standing.v1',
    subject: 'agt_x',
    data: { clientId: 'c1', from: 'Normal', to: 'Isolated', why: '5 denials', by: 'rule:five-denials' },
  },
  {
    ...envelope,
    seq: 3,
    time: '2026-11-20T10:00:02.000Z',
    type: 'portcullis.admin.v1',
    data: { action: 'client.created', actor: 'local-admin/0', target: 'c1' },
  },
  {
    ...envelope,
    seq: 2,
    time: '2026-11-20T10:00:01.000Z',
    type: 'portcullis.auth.v1',
    data: { action: 'token.issued', clientId: 'c1', scope: 'customer:read' },
  },
  {
    ...envelope,
    seq: 1,
    time: '2026-11-20T10:00:00.000Z',
    type: 'portcullis.call.v1',
    data: { ...call, clientId: 'c1', tool: 'get_customer_info', outcome: 'allowed' },
  },
];

function gate() {
  const asked: [string, Query][] = [];
  const api = {
    async get(path: string, query: Query = {}) {
      asked.push([path, query]);
      return { items: newestFirst, next_cursor: 'older' };
    },
  } as Api;
  const notes: string[] = [];
  return {
    ports: { admin: async () => api, note: (line: string) => void notes.push(line) } as unknown as VerbPorts,
    asked,
    notes,
  };
}

test('the newest events are shown, the newest last', async () => {
  const { ports, notes } = gate();
  const { json, text } = await auditTail.run({ limit: 50 }, ports);
  expect(json).toEqual(newestFirst.toReversed());
  expect(text.split('\n').map((line) => line.replace(/ {2,}/g, '|'))).toEqual([
    'TIME|TENANT|TYPE|WHO|WHAT|AGENT',
    '2026-11-20T10:00:00.000Z|default|call|c1|get_customer_info: allowed (200)|-',
    '2026-11-20T10:00:01.000Z|default|auth|c1|token.issued customer:read|-',
    '2026-11-20T10:00:02.000Z|default|admin|local-admin/0|client.created c1|-',
    '2026-11-20T10:00:03.000Z|default|standing|rule:five-denials|Normal -> Isolated: 5 denials|agt_x',
  ]);
  expect(notes).toEqual(['There is more: add --cursor older']);
});

test('what is asked for is narrowed by agent and type', async () => {
  const { ports, asked } = gate();
  await auditTail.run({ limit: 5, agent: 'c1', type: 'portcullis.call.v1' }, ports);
  expect(asked).toEqual([
    ['/events', { agent: 'c1', type: 'portcullis.call.v1', limit: 5, cursor: undefined, tenant: undefined }],
  ]);
});

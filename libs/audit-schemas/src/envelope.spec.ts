import { REFUSALS } from '@portcullis/contract/refusals';
import { auditEvent, EVENT_TYPES, FIRST_PREV } from './envelope.js';

const EVENT = {
  specversion: '1.0',
  id: '01936b3e-7c00-7000-8000-000000000001',
  source: '/portcullis/mcp-server/i1',
  type: 'portcullis.call.v1',
  subject: 'agt_x',
  time: '2026-11-20T10:00:00.000Z',
  datacontenttype: 'application/json',
  tenant: 'default',
  seq: 1,
  prev: FIRST_PREV,
  data: {
    correlationId: '01936b3e-7c00-7000-8000-000000000002',
    outcome: 'allowed',
    denial: false,
    http: 200,
    durationMs: 1.5,
  },
};
const ok = (event: unknown): boolean => auditEvent.safeParse(event).success;

test('the kinds of events are as pinned', () => {
  expect(Object.keys(EVENT_TYPES)).toEqual([
    'portcullis.call.v1',
    'portcullis.auth.v1',
    'portcullis.admin.v1',
    'portcullis.standing.v1',
    'portcullis.approval.v1',
  ]);
});

test('a whole event of each kind is one', () => {
  const data = {
    'portcullis.call.v1': EVENT.data,
    'portcullis.auth.v1': { action: 'token.issued', clientId: 'c', scope: 'customer:read' },
    'portcullis.admin.v1': { action: 'client.add', actor: 'local-admin/0' },
    'portcullis.standing.v1': { from: 'Normal', to: 'Isolated', why: 'five denials', by: 'rule:denials' },
    'portcullis.approval.v1': { action: 'approval.asked', approval: 'apr_x', tool: 'delete_customer' },
  };
  for (const [type, each] of Object.entries(data))
    expect(auditEvent.parse({ ...EVENT, type, data: each })).toMatchObject({ type, data: each });
});

test('an outcome is allowed or a refusal of the table', () => {
  for (const outcome of ['allowed', ...Object.keys(REFUSALS)])
    expect(ok({ ...EVENT, data: { ...EVENT.data, outcome } })).toBe(true);
  expect(ok({ ...EVENT, data: { ...EVENT.data, outcome: 'fine' } })).toBe(false);
});

test('fields of a later minor version are read past', () => {
  expect(ok({ ...EVENT, later: 1, data: { ...EVENT.data, later: 1 } })).toBe(true);
});

test.each([
  { specversion: '0.3' },
  { id: 'x' },
  { source: '/other/mcp-server/i1' },
  { source: '/portcullis/mcp-server/' },
  { source: '/portcullis/mcp-server/a/b' },
  { type: 'portcullis.call.v2' },
  { time: '2026-11-20T10:00:00Z' },
  { time: '2026-11-20T10:00:00.000+01:00' },
  { tenant: 'A B' },
  { tenant: undefined },
  { seq: 0 },
  { seq: 1.5 },
  { prev: 'F'.repeat(64) },
  { prev: '' },
  { data: { ...EVENT.data, correlationId: 'mine' } },
  { data: { ...EVENT.data, reason: 'x'.repeat(1001) } },
  { data: { ...EVENT.data, client: { requestId: 'x'.repeat(129) } } },
  { data: { ...EVENT.data, denial: undefined } },
])('an event with %j is none', (change) => expect(ok({ ...EVENT, ...change })).toBe(false));

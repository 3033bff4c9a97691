import type { IncomingMessage } from 'node:http';
import { recordRefusedCalls, type RefusedCall } from './refused-calls.js';

const eventOf = async (request: object, refused: RefusedCall, more = '') => {
  let seen: unknown;
  const record = async (_address: string, event: (more: string) => unknown) => void (seen = event(more));
  const ports = { record, addressOf: () => '192.0.2.1', now: () => 5 };
  await recordRefusedCalls(ports)(request as IncomingMessage, refused);
  return seen;
};

test('a caller without the right is named with their tenant and the route, not the path', async () => {
  const user = { tenant: 'acme', actor: 'boss' };
  const request = { method: 'DELETE', url: '/admin/v1/users/pcs_x', route: { path: '/admin/v1/users/:user_id' }, user };
  expect(await eventOf(request, { error: 'scope_insufficient' })).toEqual({
    type: 'portcullis.admin.v1',
    tenant: 'acme',
    at: 5,
    data: {
      action: 'request.refused',
      actor: 'boss',
      target: 'DELETE /admin/v1/users/:user_id',
      reason: 'scope_insufficient from 192.0.2.1',
    },
  });
});

test('whoever has no good token is nobody, in the default tenant', async () => {
  const event = await eventOf({ method: 'GET' }, { error: 'token_invalid', detail: 'x'.repeat(5000) }, '; 3 more');
  expect(event).toMatchObject({ tenant: 'default', data: { actor: 'unknown', target: 'GET ' } });
  expect((event as { data: { reason: string } }).data.reason).toMatch(
    /^token_invalid \(x{800}\) from 192\.0\.2\.1; 3 more$/,
  );
});

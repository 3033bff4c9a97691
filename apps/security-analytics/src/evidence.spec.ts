import { principalId } from '@portcullis/contract/ids';
import { admin, call, eventLine, type CallFacts } from './events.fixture.js';
import { drillRemoved, evidenceOf, isContradictory } from './evidence.js';

test('a call with its principal is evidence about that principal', () => {
  const { event } = call({ clientId: 'c', sub: 'grace', denial: true });
  expect(evidenceOf(event)).toMatchObject({
    tenant: 'default',
    agent: principalId('default', 'c', 'grace'),
    clientId: 'c',
    sub: 'grace',
    event: { kind: 'call', id: event.id, denial: true, allowed: false },
  });
});

test.each<[boolean, string, CallFacts]>([
  [true, 'a tool that was executed', {}],
  [true, 'a resource that was read', { tool: undefined, resource: 'customer://{id}' }],
  [false, 'a list, a ping or a notification, which execute nothing', { tool: undefined }],
  [false, 'a refused tool', { outcome: 'input_invalid' }],
])('clean (%s): %s', (allowed, _what, facts) => {
  expect(evidenceOf(call(facts).event)?.event.allowed).toBe(allowed);
});

test('a call without a subject moves nobody, even when it says denial', () => {
  expect(evidenceOf(call({ subject: undefined, denial: true }).event)).toBeUndefined();
  expect(isContradictory(call({ subject: undefined }).event)).toBe(false);
});

test('a subject that is not the principal of the client and person moves nobody and is a contradiction', () => {
  const { event } = call({ subject: principalId('default', 'victim'), denial: true });
  expect(evidenceOf(event)).toBeUndefined();
  expect(isContradictory(event)).toBe(true);
});

test('standing events, such as our own, are no evidence', () => {
  const data = { from: 'Normal', to: 'Isolated', why: 'x', by: 'rule:x', clientId: 'c' };
  const { event } = eventLine({
    type: 'portcullis.standing.v1',
    tenant: 'default',
    subject: principalId('default', 'c'),
    at: 0,
    data,
  });
  expect(evidenceOf(event)).toBeUndefined();
  expect(isContradictory(event)).toBe(false);
});

test.each([
  [admin('default', 'drill.removed', 'drill-1'), 'drill-1'],
  [admin('default', 'drill.removed', 'default'), undefined],
  [admin('default', 'drill.removed', 'drill-/../x'), undefined],
  [admin('default', 'client.removed', 'drill-1'), undefined],
  [call(), undefined],
])('drill %#', ({ event }, tenant) => {
  expect(drillRemoved(event)).toBe(tenant);
});

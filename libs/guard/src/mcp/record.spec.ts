import { digestKey } from '@portcullis/audit-schemas/digest';
import { callData } from '@portcullis/audit-schemas/data';
import { REFUSALS, Refusal, type RefusalCode } from '@portcullis/contract/refusals';
import { callerOf } from '@portcullis/scopes/caller';
import fc from 'fast-check';
import type { CallRecord } from '../call.js';
import { LABELS } from '../history.js';
import { safeArguments } from '../attempt.js';
import type { AnyTool } from '../tool.js';
import { askedOf, attemptEvent, callEvent, openRecord, type Arrival } from './record.js';

const key = digestKey(new Uint8Array(32));
const NOW = 1_800_000_000_000;
/** whatever a stranger may send */
const anything = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.string({ minLength: 200, maxLength: 2000 }),
);
const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });
const name = (max: number) => fc.string({ minLength: 1, maxLength: max });
const uuid = fc.uuid({ version: 7 });

const caller = fc
  .record({ clientId: name(255), sub: name(255), tokenId: name(255), task: maybe(name(64)) })
  .map(({ clientId, sub, tokenId, task }) =>
    callerOf({
      iss: 'i',
      sub,
      client_id: clientId,
      jti: tokenId,
      iat: 1,
      exp: 2,
      scope: '',
      tenant: 'default',
      ceiling: '',
      ...(task !== undefined && { task }),
    }),
  );
const tool = { name: 'tool_a', safe: ['a', 'b'] } as unknown as AnyTool;
const args = fc.record({ a: fc.jsonValue(), b: anything, c: anything }, { requiredKeys: [] });

const records = fc
  .record({
    arrival: fc.record({
      correlationId: uuid,
      at: fc.constant(NOW),
      address: anything,
      client: fc.record({ requestId: maybe(anything), toolCallId: maybe(anything), traceparent: maybe(anything) }),
    }),
    caller: maybe(caller),
    asked: fc.record({
      id: maybe(fc.nat()),
      method: anything,
      params: fc.record({ name: fc.oneof(anything, fc.jsonValue()) }),
    }),
    args: maybe(args),
    refusal: maybe(
      fc
        .tuple(fc.constantFrom(...(Object.keys(REFUSALS) as RefusalCode[])), maybe(anything))
        .map(([code, detail]) => new Refusal(code, {}, detail === undefined ? {} : { detail })),
    ),
    more: fc.record({
      denial: fc.boolean(),
      attempt: maybe(uuid),
      labels: maybe(fc.subarray([...LABELS])),
      llmTokens: maybe(fc.nat()),
      steps: fc.dictionary(fc.constantFrom('token', 'read', 'execute'), fc.double({ min: 0, max: 1e6, noNaN: true })),
    }),
  })
  .map(({ arrival, asked, more: { steps, ...more }, args: given, ...known }) => {
    const operation = given && ({ kind: 'tool', method: 'tools/call', tool, args: given } as const);
    const record = {
      ...openRecord(arrival as Arrival),
      ...known,
      ...more,
      stepsMs: steps,
      asked: askedOf(asked as never),
      operation,
      arguments: given && safeArguments(tool, given),
    } as unknown as CallRecord;
    return { record, arrival: arrival as Arrival };
  });

test('the event of a call fits its schema, whatever strangers send: nobody checks it again', () => {
  fc.assert(
    fc.property(records, fc.constantFrom(200, 401, 499, 503), ({ record, arrival }, http) => {
      for (const { fits, data } of [
        callEvent(record, arrival, http, NOW + 1.5, () => key),
        attemptEvent(record, arrival, NOW, () => key),
      ] as { fits?: true; data: unknown }[]) {
        expect(fits).toBe(true);
        // as it is written: JSON leaves out what is undefined, and the schema would leave out what it does not know
        const written: unknown = JSON.parse(JSON.stringify(data));
        expect(callData.parse(written)).toEqual(written);
      }
    }),
    { numRuns: 500 },
  );
});

import fc from 'fast-check';
import * as z from 'zod';
import { maskCard, maskSsn } from './mask.js';
import { redact } from './redact.js';
import { card, ssn } from './sensitive.js';

const customer = z.strictObject({ name: z.string(), ssn: ssn(), card: card().nullable(), more: z.number().optional() });
const row = { name: 'Ada', ssn: '123-45-6789', card: '4111-1111-1111-1111' };
const masked = { name: 'Ada', ssn: '***-**-6789', card: '****-****-****-1111' };

describe('masks', () => {
  it('shows the last four digits of what it masks', () => {
    expect([maskSsn('123-45-6789'), maskSsn('123456789'), maskCard('4111 1111 1111 1111')]).toEqual([
      '***-**-6789',
      '***-**-6789',
      '****-****-****-1111',
    ]);
  });

  it('shows nothing of a text that is no number of that kind', () => {
    expect([maskSsn('12-6789'), maskSsn('hello 12'), maskCard('4111'), maskCard('')]).toEqual([
      '***-**-****',
      '***-**-****',
      '****-****-****-****',
      '****-****-****-****',
    ]);
  });

  it('is the same done twice, and never shows more than four digits', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9 -]{4,24}$/)), (value) => {
        for (const mask of [maskSsn, maskCard]) {
          const once = mask(value);
          expect(mask(once)).toBe(once);
          expect(once.replace(/\D/g, '').length).toBeLessThanOrEqual(4);
        }
      }),
    );
  });
});

describe('redact', () => {
  it('masks labelled fields and leaves the others as they are', () => {
    expect(redact(customer, { ...row, more: 1 })).toEqual({ ...masked, more: 1 });
  });

  it('does not change the value it was given', () => {
    const given = structuredClone(row);
    redact(customer, given);
    expect(given).toEqual(row);
  });

  it.each([
    ['an array', z.array(customer), [row], [masked]],
    ['an optional', customer.optional(), row, masked],
    ['a nullable', customer.nullable(), row, masked],
    ['an absent optional', customer.optional(), undefined, undefined],
    ['a default', customer.default(row as never), row, masked],
    ['a readonly', customer.readonly(), row, masked],
    ['a record', z.record(z.string(), customer), { a: row }, { a: masked }],
    ['a tuple', z.tuple([z.string(), customer], customer), ['x', row, row], ['x', masked, masked]],
    ['a union of objects', z.union([z.strictObject({ id: z.number() }), customer]), row, masked],
    [
      'a discriminated union',
      z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('a'), ssn: ssn() }),
        z.strictObject({ kind: z.literal('b'), n: z.number() }),
      ]),
      { kind: 'a', ssn: row.ssn },
      { kind: 'a', ssn: masked.ssn },
    ],
    ['an intersection', z.intersection(z.object({ ssn: ssn() }), z.object({ card: card() })), row, masked],
    ['a catchall', z.object({}).catchall(ssn()), { any: row.ssn }, { any: masked.ssn }],
    [
      'an object in an object',
      z.strictObject({ page: z.array(z.strictObject({ who: customer })) }),
      { page: [{ who: row }] },
      { page: [{ who: masked }] },
    ],
  ])('reaches labels behind %s', (_name, schema, value, expected) => {
    expect(redact(schema, value)).toEqual(expected);
  });

  it('keeps a label through describe, max, optional and meta', () => {
    const schema = z.strictObject({
      a: ssn().max(11).describe('x').optional(),
      b: card().min(2).nullable().meta({ title: 't' }),
    });
    expect(redact(schema, { a: row.ssn, b: row.card })).toEqual({ a: masked.ssn, b: masked.card });
  });

  it('masks a value twice under two options of a union as it masks it once', () => {
    const schema = z.union([customer, z.strictObject({ ssn: ssn() })]);
    expect(redact(schema, row)).toEqual(masked);
  });

  it('hides whatever stands where a label is, also when it is no text', () => {
    expect(redact(z.object({ ssn: ssn() }), { ssn: 123456789 })).toEqual({ ssn: '****' });
  });

  it('returns the very value when its schema labels nothing', () => {
    const value = { a: [1, 2] };
    expect(redact(z.object({ a: z.array(z.number()) }), value)).toBe(value);
  });

  it('refuses at once a kind of schema that it cannot see into', () => {
    expect(() => redact(z.object({ a: z.unknown() }), { a: 1 })).toThrow(TypeError);
  });

  it('shows no label to clients', () => {
    expect(JSON.stringify(z.toJSONSchema(customer))).not.toContain('kind');
  });

  it('lets no nine digits of a labelled field out, wherever the row lies', () => {
    const digits = fc.stringMatching(/^[0-9]{3}-[0-9]{2}-[0-9]{4}$/);
    const schema = z.strictObject({ rows: z.array(z.union([customer, z.strictObject({ n: z.number() })])) });
    fc.assert(
      fc.property(fc.array(digits), (numbers) => {
        const out = JSON.stringify(
          redact(schema, { rows: numbers.map((number) => ({ name: 'x', ssn: number, card: null })) }),
        );
        for (const number of numbers) expect(out).not.toContain(number);
      }),
    );
  });
});

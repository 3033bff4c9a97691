import { Refusal } from '@portcullis/contract/refusals';
import { describe, expect, it } from '@jest/globals';
import { inTheWay, isInTheWay, isLost, lost, wasTakenBack } from './lost-connection.js';

const coded = (code: string): Error => Object.assign(new Error('x'), { code });

describe('an error of the driver', () => {
  it.each([
    ['a server that shuts down', coded('57P01')],
    ['a connection that fails', coded('08006')],
    ['a socket that was reset', coded('ECONNRESET')],
    ['an end without a word', new Error('Connection terminated unexpectedly')],
    ['an end before the statement', new Error('Client has encountered a connection error and is not queryable')],
  ])('says that the connection is lost: %s', (_what, error) => {
    expect(isLost(error)).toBe(true);
    expect(isInTheWay(error)).toBe(false);
  });

  it.each(['55P03', '40001', '40P01'])('says that another transaction was in the way: %s', (code) => {
    expect(isInTheWay(coded(code))).toBe(true);
    expect(isLost(coded(code))).toBe(false);
  });

  it.each([
    ['a key that is taken', coded('23505')],
    ['a statement that took too long', coded('57014')],
    ['a code that only ends so', coded('x57P01')],
    ['another error', new Error('Connection terminated unexpectedly, they say')],
    ['nothing', undefined],
    ['null', null],
    ['a text', 'Connection terminated unexpectedly'],
  ])('says neither: %s', (_what, thrown) => {
    expect([isLost(thrown), isInTheWay(thrown), wasTakenBack(thrown)]).toEqual([false, false, false]);
  });
});

describe('a refusal', () => {
  it('says that nobody knows what became of a change, only when the connection was lost', () => {
    expect(lost(coded('57P01'))).toMatchObject({
      code: 'overloaded',
      facts: { retryAfterMs: 1000, hint: expect.stringContaining('not known') },
    });
    expect(inTheWay(coded('55P03')).facts).toEqual({ retryAfterMs: 1000 });
  });

  it('is to be repeated when the transaction was taken back, and not for a lock or a lost connection', () => {
    expect(wasTakenBack(inTheWay(coded('40001')))).toBe(true);
    expect(wasTakenBack(inTheWay(coded('40P01')))).toBe(true);
    expect(wasTakenBack(inTheWay(coded('55P03')))).toBe(false);
    expect(wasTakenBack(lost(coded('57P01')))).toBe(false);
    expect(wasTakenBack(new Refusal('overloaded'))).toBe(false);
  });
});

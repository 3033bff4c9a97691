import { reasonsOf } from './reasons.js';

test('an error that wraps nothing is its own reason', () => {
  expect(reasonsOf(new Error('no broker'))).toBe('no broker');
  expect(reasonsOf('no error')).toBe('');
});

test('what failed four times for one reason has one', () => {
  const broker = () => new Error('cannot connect', { cause: new Error('not the name in the certificate') });
  const each = () => new AggregateError([broker(), broker()], 'failed twice');
  expect(reasonsOf(new AggregateError([each(), each()], 'listing failed'))).toBe(
    'listing failed (not the name in the certificate)',
  );
});

test('of many reasons three are said, and what wraps itself ends', () => {
  const many = Array.from({ length: 10 }, (_, i) => new Error(`reason ${i}`));
  expect(reasonsOf(new AggregateError(many, 'all failed'))).toBe('all failed (reason 0; reason 1; reason 2)');
  const circle = new Error('round and round');
  circle.cause = circle;
  expect(reasonsOf(circle)).toBe('round and round');
});

import { randomBytes } from 'node:crypto';
import { approvalId } from '../approvals.js';
import { approvalStates } from './approval-state.js';

const [first, second] = [randomBytes(32), randomBytes(32)];
const id = approvalId(randomBytes(16));

test('a state is good for the call that it was made for, and for no other', async () => {
  const states = approvalStates([first]);
  const state = await states.seal(id, 'acme agt_a - delete_customer 12');
  expect(await states.open(state, 'acme agt_a - delete_customer 12')).toBe(id);
  expect(await states.open(state, 'acme agt_a - delete_customer 34')).toBe('forged');
  expect(await approvalStates([second]).open(state, 'acme agt_a - delete_customer 12')).toBe('forged');
});

test('while a key is rotated both are good, and the new one signs', async () => {
  const rotating = approvalStates([second, first]);
  expect(await rotating.open(await approvalStates([first]).seal(id, 'b'), 'b')).toBe(id);
  expect(await approvalStates([second]).open(await rotating.seal(id, 'b'), 'b')).toBe(id);
});

test('a state of ten minutes ago has expired', async () => {
  const states = approvalStates([second, first]);
  const state = await approvalStates([first]).seal(id, 'b');
  const { now } = Date;
  Date.now = () => now() + 601_000;
  try {
    expect(await states.open(state, 'b')).toBe('expired');
  } finally {
    Date.now = now;
  }
});

import { Closing } from './closing.js';

test('parts are closed in reverse order, once', async () => {
  const closing = new Closing();
  const order: string[] = [];
  for (const part of ['database', 'bus', 'service']) closing.add(async () => void order.push(part));
  await closing.close();
  await closing.close();
  expect(order).toEqual(['service', 'bus', 'database']);
});

test('a part that fails to close does not keep the others open, and the failure is told', async () => {
  const closing = new Closing();
  const closed: string[] = [];
  closing.add(async () => void closed.push('database'));
  closing.add(() => Promise.reject(new Error('stuck')));
  await expect(closing.close()).rejects.toThrow('stuck');
  expect(closed).toEqual(['database']);
});

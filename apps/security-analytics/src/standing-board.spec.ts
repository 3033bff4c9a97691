import { principalId } from '@portcullis/contract/ids';
import type { Caller } from '@portcullis/scopes/caller';
import { standingBoard } from './standing-board.js';

const agent = principalId('default', 'c');
const caller = { tenant: 'default', principal: agent } as Caller;
const message = (state: string, tenant = 'default') => ({
  key: `${tenant}/${agent}`,
  value: JSON.stringify({ tenant, agent, state, since: '2026-11-21T00:00:00.000Z' }),
});

test('the last standing of a principal counts, and what cannot be read stops nothing', async () => {
  const board = standingBoard();
  expect(board.stateOf(caller)).toBe('Normal');
  await board.take([message('Isolated'), { key: 'x', value: '{' }, { key: 'x', value: '{"state":"Normal"}' }]);
  expect(board.stateOf(caller)).toBe('Isolated');
  await board.take([message('Remediation')]);
  expect(board.stateOf(caller)).toBe('Remediation');
  await board.take([message('Normal')]);
  expect(board.stateOf(caller)).toBe('Normal');
});

test('the standing of another tenant is another standing', async () => {
  const board = standingBoard();
  await board.take([message('Isolated', 'other')]);
  expect(board.stateOf(caller)).toBe('Normal');
});

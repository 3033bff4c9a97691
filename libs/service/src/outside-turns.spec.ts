import { outsideTurns, type OutsideTurns } from './outside-turns.js';

const BOUNDS = { perHost: 2, perOwner: 3, inAll: 5, waitingPerOwner: 2, waiting: 3 };
function rig() {
  const turns: OutsideTurns = outsideTurns(BOUNDS);
  const went: string[] = [];
  const enter = (name: string, host: string, owner = 'a') => turns.enter({ host, owner }, () => void went.push(name));
  return { went, enter };
}

test('one host, one owner and all together have their bounds; who waits goes when there is room', () => {
  const { went, enter } = rig();
  const leave = enter('1', 'h1');
  enter('2', 'h1');
  enter('of the same host', 'h1');
  enter('3', 'h2');
  enter('of the same owner', 'h3');
  expect(went).toEqual(['1', '2', '3']);
  leave!();
  expect(went).toEqual(['1', '2', '3', 'of the same host']);
  leave!();
  expect(went).toHaveLength(4);
});

test('whose owner has no room is passed by for others', () => {
  const { went, enter } = rig();
  const [first] = ['1', '2', '3'].map((name) => enter(name, name));
  enter('waits', 'h');
  enter('of b', 'h', 'b');
  expect(went).toEqual(['1', '2', '3', 'of b']);
  enter('of c', 'h2', 'c');
  enter('of d', 'h3', 'd');
  expect(went).toEqual(['1', '2', '3', 'of b', 'of c']);
  first!();
  expect(went.slice(5)).toEqual(['waits']);
});

test('who leaves while waiting never goes, and only so many wait, of one owner and in all', () => {
  const { went, enter } = rig();
  const [first] = ['1', '2', '3'].map((name) => enter(name, name));
  const gone = enter('gone', 'h');
  enter('stays', 'h');
  expect(enter('too many of one owner', 'h')).toBeUndefined();
  enter('4', 'x', 'b');
  enter('5', 'x', 'b');
  enter('waits too', 'x', 'b');
  expect(enter('too many', 'y', 'c')).toBeUndefined();
  gone!();
  first!();
  expect(went).toEqual(['1', '2', '3', '4', '5', 'stays']);
});

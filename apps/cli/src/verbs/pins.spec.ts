import type { PinState } from '../pins.js';
import type { VerbPorts } from '../verb.js';
import { pinsApprove } from './pins-approve.js';
import { pinsDiff } from './pins-diff.js';
import { pinsList } from './pins-list.js';

const pin = 'a'.repeat(64);
const fine: PinState = { name: 'get_customer_info', pin, approved: pin };
const drifted: PinState = { name: 'update_customer', problem: 'drifted', pin: 'b'.repeat(64), approved: pin };
const unknown: PinState = { name: 'new_tool', problem: 'unknown', pin };

const gone: PinState = { name: 'old_tool', problem: 'missing', approved: pin };

function server(tools: PinState[], end: { code?: number; err?: string } = {}) {
  const asked: (readonly string[])[] = [];
  const notes: string[] = [];
  let state = tools;
  const approve = (names: readonly string[]) => {
    const due = state.filter(({ name, problem }) => problem && (names.length === 0 || names.includes(name)));
    const named = (kind: string) => due.filter(({ problem }) => problem === kind).map(({ name }) => name);
    state = state
      .filter((each) => !(due.includes(each) && each.problem === 'missing'))
      .map((each) => (due.includes(each) ? { name: each.name, pin: each.pin, approved: each.pin } : each));
    return { added: named('unknown'), changed: named('drifted'), removed: named('missing') };
  };
  const ports = {
    note: (line: string) => void notes.push(line),
    toolPins: async (words: readonly string[]) => {
      asked.push(words);
      const [verb, ...names] = words;
      const changes = verb === 'approve' ? approve(names) : undefined;
      const out = JSON.stringify({ file: 'pins.json', tools: state, changes });
      return { code: end.code ?? 0, out, err: end.err ?? '' };
    },
  } as unknown as VerbPorts;
  return { ports, asked, notes };
}

test('the tools are listed with what they are and what was approved', async () => {
  const { ports } = server([fine, drifted, unknown]);
  const { json, text } = await pinsList.run({}, ports);
  expect(json).toEqual({ file: 'pins.json', tools: [fine, drifted, unknown] });
  expect(text).toMatch(
    /get_customer_info +a{16} +a{16} +ok\n.*update_customer +b{16} +a{16} +drifted\n.*new_tool .* - +unknown/,
  );
});

test('only what differs is in the difference, which is a failed check', async () => {
  const differ = await pinsDiff.run({}, server([fine, drifted]).ports);
  expect([differ.json, differ.ok]).toEqual([[drifted], false]);
  expect(await pinsDiff.run({}, server([fine]).ports)).toMatchObject({ json: [], ok: true });
});

test('all that differ are approved, and it is said what was added, changed and removed', async () => {
  const { ports, asked, notes } = server([fine, drifted, unknown, gone]);
  const { json, text } = await pinsApprove.run(pinsApprove.input.parse({}), ports);
  expect(json).toEqual({
    file: 'pins.json',
    added: ['new_tool'],
    changed: ['update_customer'],
    removed: ['old_tool'],
  });
  expect(text).toBe('Added: new_tool\nChanged: update_customer\nRemoved: old_tool');
  expect(asked).toEqual([['approve']]);
  expect(notes).toEqual(['Written to pins.json. Servers take it at their next start.']);
});

test('one that is named is approved alone, and what is left is said', async () => {
  const { ports, asked, notes } = server([fine, drifted, unknown]);
  const { text } = await pinsApprove.run({ tool: ['new_tool'] }, ports);
  expect([text, asked]).toEqual(['Added: new_tool', [['approve', 'new_tool']]]);
  expect(notes).toEqual([expect.stringContaining('Written'), 'Still not as approved: update_customer.']);
});

test('when nothing changes, that is said, and not that something was written', async () => {
  const { ports, notes } = server([fine]);
  expect(await pinsApprove.run({ tool: [] }, ports)).toEqual({
    json: { file: 'pins.json', added: [], changed: [], removed: [] },
    text: 'Nothing changed, and nothing was written.',
  });
  expect(notes).toEqual([]);
});

test('a tool that is not there is wrong use, and a server that says nothing is not done', async () => {
  const none = server([fine], { code: 2, err: 'there is no tool "x"' });
  await expect(pinsApprove.run({ tool: ['x'] }, none.ports)).rejects.toMatchObject({ name: 'WrongUse' });
  const broken = server([fine], { code: 1, err: 'Error: no\n  at x' });
  await expect(pinsList.run({}, broken.ports)).rejects.toMatchObject({
    name: 'NotDone',
    message: 'The tools cannot be looked at: Error: no',
  });
});

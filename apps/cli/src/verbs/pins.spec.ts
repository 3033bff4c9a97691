import type { PinState } from '../pins.js';
import type { VerbPorts } from '../verb.js';
import { pinsApprove } from './pins-approve.js';
import { pinsDiff } from './pins-diff.js';
import { pinsList } from './pins-list.js';

const pin = 'a'.repeat(64);
const fine: PinState = { name: 'get_customer_info', pin, approved: pin };
const drifted: PinState = { name: 'update_customer', problem: 'drifted', pin: 'b'.repeat(64), approved: pin };
const unknown: PinState = { name: 'new_tool', problem: 'unknown', pin };

function server(tools: PinState[], end: { code?: number; err?: string } = {}) {
  const asked: (readonly string[])[] = [];
  const notes: string[] = [];
  let state = tools;
  const ports = {
    note: (line: string) => void notes.push(line),
    toolPins: async (words: readonly string[]) => {
      asked.push(words);
      const [verb, ...names] = words;
      if (verb === 'approve') {
        state = state.map(({ problem, ...rest }) =>
          problem && names.length > 0 && !names.includes(rest.name)
            ? { problem, ...rest }
            : { ...rest, approved: rest.pin },
        );
      }
      return { code: end.code ?? 0, out: JSON.stringify({ file: 'pins.json', tools: state }), err: end.err ?? '' };
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

test('all that differ are approved, or those that are named', async () => {
  const all = server([fine, drifted, unknown]);
  expect((await pinsApprove.run(pinsApprove.input.parse({}), all.ports)).json).toEqual({
    file: 'pins.json',
    approved: ['update_customer', 'new_tool'],
  });
  expect(all.asked).toEqual([['list'], ['approve']]);
  expect(all.notes).toEqual([expect.stringContaining('pins.json')]);
  const one = server([fine, drifted, unknown]);
  expect((await pinsApprove.run({ tool: ['new_tool'] }, one.ports)).json).toMatchObject({ approved: ['new_tool'] });
  expect(one.asked).toEqual([['list'], ['approve', 'new_tool']]);
});

test('a tool that is not there is wrong use, and a server that says nothing is not done', async () => {
  const gone = server([fine], { code: 2, err: 'there is no tool "x"' });
  await expect(pinsApprove.run({ tool: ['x'] }, gone.ports)).rejects.toMatchObject({ name: 'WrongUse' });
  const broken = server([fine], { code: 1, err: 'Error: no\n  at x' });
  await expect(pinsList.run({}, broken.ports)).rejects.toMatchObject({
    name: 'NotDone',
    message: 'The tools cannot be looked at: Error: no',
  });
});

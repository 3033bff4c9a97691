import { jest } from '@jest/globals';
import { runningCalls } from './deadline.memory.js';
import { DEADLINE_MS, RunningCall } from './deadline.js';
import type { AnyTool } from './tool.js';

const runs = (tool: Partial<AnyTool>) => new RunningCall({ effects: ['none'], ...tool }, { isGone: () => false });
const START = 500;
beforeEach(() => void jest.spyOn(performance, 'now').mockReturnValue(START));
afterEach(() => jest.restoreAllMocks());

test('a tool that does not say otherwise has 10 s, and one that does has those', () => {
  const calls = runningCalls();
  const [plain, quick] = [runs({}), runs({ deadlineMs: 8 })];
  calls.add(plain);
  calls.add(quick);
  expect([plain.dueAt - START, quick.dueAt - START, DEADLINE_MS]).toEqual([10_000, 8, 10_000]);
  calls.remove(plain);
  calls.remove(quick);
});

test('what it was given up for names the seconds that it had', () => {
  const plain = runs({});
  plain.dueAt = START + DEADLINE_MS;
  plain.check(START + DEADLINE_MS - 1);
  expect(plain.signal.aborted).toBe(false);
  plain.check(START + DEADLINE_MS);
  expect(plain.signal.reason).toMatchObject({
    code: 'tool_failed',
    facts: { hint: expect.stringMatching(/than 10 s/) },
  });
});

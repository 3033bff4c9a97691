import { TOOL_EFFECTS } from '@portcullis/limits/tool-effects';
import { PINNED_TOOLS } from './pinned-tools.js';

test('what the table of limits is told of the effects of our tools is what their definitions say', () => {
  const defined = PINNED_TOOLS.map(({ name, effects }) => [
    name,
    effects.every((effect) => effect === 'none') ? 'none' : 'some',
  ]);
  expect(TOOL_EFFECTS).toEqual(Object.fromEntries(defined));
});

import { readyPath } from './place.js';

const env = { PORTCULLIS_READY_FILE: '/env/ready.json' };

test('options come before the environment, and the environment before the default folder', () => {
  expect(readyPath({ readyFile: '/x.json', data: 'd' }, env)).toBe('/x.json');
  expect(readyPath({ data: 'd' }, env)).toBe('d/ready.json');
  expect(readyPath({}, env)).toBe('/env/ready.json');
  expect(readyPath({}, {})).toBe('.portcullis/ready.json');
  expect(readyPath({}, { PORTCULLIS_READY_FILE: '' })).toBe('.portcullis/ready.json');
});

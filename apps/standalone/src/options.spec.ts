import { parseOptions, WrongUse } from './options.js';

test('without arguments the platform keeps its data in .portcullis and starts at port 4400 with the demo', () => {
  expect(parseOptions([])).toEqual({
    data: '.portcullis',
    portBase: 4400,
    readyFile: undefined,
    demo: true,
    logLevel: 'warn',
  });
});

test('--ephemeral has no data folder', () => {
  expect(parseOptions(['--ephemeral', '--port-base', '0'])).toMatchObject({ data: undefined, portBase: 0 });
});

test('--help wins over everything else', () => {
  expect(parseOptions(['--help', '--no-demo'])).toBe('help');
});

test.each([
  [['--port-base', 'x'], /--port-base takes/],
  [['--port-base', '80'], /--port-base takes/],
  [['--port-base', '65001'], /--port-base takes/],
  [['--log-level', 'loud'], /--log-level takes/],
  [['--ephemeral', '--data', 'x'], /leave out --data/],
  [['--nonsense'], /--nonsense/],
  [['positional'], /positional/],
])('%j is refused with a message that names the option', (args, message) => {
  expect(() => parseOptions(args)).toThrow(WrongUse);
  expect(() => parseOptions(args)).toThrow(message);
});

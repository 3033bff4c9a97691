import { asked, USAGE } from './asked.mjs';

const SEED = expect.any(Number) as number;

it.each([
  [['fuzz'], ['fuzz']],
  [[], ['fuzz', 'chaos']],
])('%j is 200,000 cases from another seed each time', (args: string[], names) => {
  const options = { cases: 200_000, seed: SEED, faults: undefined, json: undefined };
  expect(asked(args)).toEqual({ names, options });
  expect(asked(args)?.options.seed).not.toBe(asked(args)?.options.seed);
  expect(USAGE).toContain('200000 unless said');
});

it('what is said goes before that', () => {
  const { options } = asked(['fuzz', '--cases', '7', '--seed', '8', '--json', '/tmp/out.json'])!;
  expect(options).toEqual({ cases: 7, seed: 8, faults: undefined, json: '/tmp/out.json' });
});

it('faults are words, separated by commas', () => {
  expect(asked(['chaos', '--faults', 'kill,cut redis'])).toMatchObject({
    names: ['chaos'],
    options: { faults: ['kill', 'cut redis'] },
  });
});

it('help is no attack', () => expect(asked(['--help'])).toBeUndefined());

it.each([
  [['fuzz', 'fuzz'], /name one of: fuzz, chaos/],
  [['toString'], /name one of: fuzz, chaos/],
  [['--cases', '0'], /--cases takes a whole number/],
  [['--seed', '1.5'], /--seed takes a whole number/],
  [['--hard'], /--hard/],
])('%j is wrong use', (args: string[], says) => expect(() => asked(args)).toThrow(says));

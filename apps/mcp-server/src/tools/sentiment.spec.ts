import { sentimentOf, wordsOf } from './sentiment.js';

it.each([
  ['I love this, great support!', 'positive'],
  ['This is terrible. I hate it and I want my money back.', 'negative'],
  ['not good', 'negative'],
  ['The invoice has number twelve.', 'neutral'],
  ['', 'neutral'],
  ['日本語だけ', 'neutral'],
  ['😀', 'positive'],
])('%j sounds %s', (text, sentiment) => {
  expect(sentimentOf(text).sentiment).toBe(sentiment);
});

it.each(['constructor', 'The #Constructor of toString __proto__ valueOf', 'hasOwnProperty constructor is great'])(
  '%j has a score, though an object has a property of that name',
  (text) => {
    const { score } = sentimentOf(text);
    expect(Number.isFinite(score)).toBe(true);
    expect(sentimentOf(text.replace(/constructor/gi, 'house')).score).toBe(score);
  },
);

it('what is too long to be a word counts as one, and does not sway the score', () => {
  const text = `great ${'a'.repeat(4_000)} ${'1'.repeat(900)}`;
  expect(wordsOf(text)).toHaveLength(3);
  expect(sentimentOf(text)).toEqual(sentimentOf('great'));
});

it('a score lies between -5 and 5', () => {
  for (const word of ['superb', 'bastard', '#fail', ':)']) {
    expect(Math.abs(sentimentOf(`${word} `.repeat(500)).score)).toBeLessThanOrEqual(5);
  }
});

import lexicon from 'wink-sentiment';

/** The longest word of the lexicon has 19 letters, its longest emoticon 4. */
const LONGEST = 40;
/** Between these two a text is neither. */
const NEUTRAL = 0.25;

export const SENTIMENTS = ['negative', 'neutral', 'positive'] as const;

export interface Sentiment {
  readonly sentiment: (typeof SENTIMENTS)[number];
  /** -5 to 5, two decimals */
  readonly score: number;
}

/** The words of a text: runs of what is no white space. */
export const wordsOf = (text: string): string[] => text.split(/\s+/u).filter((word) => word !== '');

/**
 * What feeling an English text shows, by a list of words that people scored (docs/decisions/0015): no model runs.
 * Words that are too long to be one are left out: the library's tokenizer needs time by the square of their length.
 */
export function sentimentOf(text: string): Sentiment {
  const words = wordsOf(text).filter(({ length }) => length <= LONGEST);
  // The library looks words up in plain objects, where this one word finds a function.
  const { normalizedScore } = lexicon(words.join(' ').replace(/constructor/gi, 'builder'));
  const score = Math.round(normalizedScore * 100) / 100;
  return { sentiment: score > NEUTRAL ? 'positive' : score < -NEUTRAL ? 'negative' : 'neutral', score };
}

import { defineTool } from '@portcullis/guard/tool';
import { text } from '@portcullis/validators/text';
import * as z from 'zod';
import { SENTIMENTS, sentimentOf, wordsOf } from './sentiment.js';

/** What a model would read, were there one: the usage of this tool is an estimate. */
const TOKENS_PER_WORD = 2;

export const analyzeCustomerSentiment = defineTool({
  name: 'analyze_customer_sentiment',
  description:
    'Say whether an English text sounds negative, neutral or positive, with a score from -5 to 5. It counts scored words and understands nothing: irony is lost on it.',
  scopes: ['sentiment:analyze'],
  effects: ['none'],
  limit: { perMinute: 60, llmTokens: 500 },
  llmTokensOf: (args) => (typeof args['text'] === 'string' ? wordsOf(args['text']).length * TOKENS_PER_WORD : 0),
  input: z.strictObject({ text: text({ max: 5000, lines: true }) }),
  output: z.strictObject({ sentiment: z.enum(SENTIMENTS), score: z.number(), words: z.int() }),
  execute: async (input) => ({ ...sentimentOf(input.text), words: wordsOf(input.text).length }),
});

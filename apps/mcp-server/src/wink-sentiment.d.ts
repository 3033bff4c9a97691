/** The package has no types of its own. */
declare module 'wink-sentiment' {
  /** `normalizedScore` from -5 to 5 */
  function sentiment(phrase: string): { readonly score: number; readonly normalizedScore: number };
  export = sentiment;
}

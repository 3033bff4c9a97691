/**
 * Whole cents of an amount, rounded by its exact binary value; so sums of cents carry no error of fractions.
 * @param amount finite, below 1e9 in size; a thousand of them stay below 2^53 cents
 */
export const centsOf = (amount: number): number => Number(amount.toFixed(2).replace('.', ''));

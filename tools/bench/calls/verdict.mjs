// Figures against bars. A bar is held by ratios, one of each round, whose two figures were taken one soon after the other.
import { median } from '../peer.mjs';

/** Fewer rounds say nothing about how far they spread. */
const LEAST_ROUNDS = 3;

/**
 * @param ratios what is held to the bar, one a round
 * @returns met · missed · undecided, when the rounds spread wider than the distance to the bar
 */
export function judge(ratios, bar) {
  const ratio = median(ratios);
  const spread = spreadOf(ratios);
  const decided = ratios.length >= LEAST_ROUNDS && spread <= Math.abs(bar - ratio);
  return { ratio, bar, spread, verdict: !decided ? 'undecided' : ratio <= bar ? 'met' : 'missed' };
}

/** From the lowest to the highest, without these two when five rounds or more were run. */
export function spreadOf(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const cut = sorted.length >= 5 ? 1 : 0;
  return sorted[sorted.length - 1 - cut] - sorted[cut];
}

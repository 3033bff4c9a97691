// Figures against bars. A bar is held by ratios, one of each round, whose two figures were taken one soon after the other.
import { median } from '../peer.mjs';

/**
 * @param ratios what is held to the bar, one a round
 * @returns met · missed · undecided, when the rounds spread wider than the distance to the bar
 */
export function judge(ratios, bar) {
  const middle = median(ratios);
  const spread = spreadOf(ratios);
  const verdict = Math.abs(bar - middle) < spread ? 'undecided' : middle <= bar ? 'met' : 'missed';
  return { ratio: middle, bar, spread, verdict };
}

/** From the lowest to the highest, without these two when five rounds or more were run. */
export function spreadOf(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const cut = sorted.length >= 5 ? 1 : 0;
  return sorted[sorted.length - 1 - cut] - sorted[cut];
}

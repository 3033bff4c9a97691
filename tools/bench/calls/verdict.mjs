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
  return said(ratio, bar, spreadOf(ratios), ratios.length, ratio <= bar);
}

/** The same where more is better: met from the bar on upwards. */
export function judgeLeast(ratios, bar) {
  const ratio = median(ratios);
  return said(ratio, bar, spreadOf(ratios), ratios.length, ratio >= bar);
}

/**
 * Is a cost the same in several cases? Each round's costs are taken as shares of that round's mean, so that a machine that was
 * slower in one round says nothing of the cases.
 * @param rounds costs by case, one object a round
 * @returns ratio: the middle cost of the dearest case over that of the cheapest; spread: that of the case that spread widest
 */
export function judgeFlat(rounds, bar) {
  const shares = rounds.map((costs) => {
    const all = Object.values(costs);
    const mean = all.reduce((sum, cost) => sum + cost, 0) / all.length;
    return Object.fromEntries(Object.entries(costs).map(([name, cost]) => [name, cost / mean]));
  });
  const cases = Object.keys(rounds[0]).map((name) => shares.map((round) => round[name]));
  const middles = cases.map((all) => median(all));
  const ratio = Math.max(...middles) / Math.min(...middles);
  return said(ratio, bar, Math.max(...cases.map(spreadOf)), rounds.length, ratio <= bar);
}

function said(ratio, bar, spread, rounds, holds) {
  const decided = rounds >= LEAST_ROUNDS && spread <= Math.abs(bar - ratio);
  return { ratio, bar, spread, verdict: !decided ? 'undecided' : holds ? 'met' : 'missed' };
}

/** From the lowest to the highest, without these two when five rounds or more were run. */
export function spreadOf(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const cut = sorted.length >= 5 ? 1 : 0;
  return sorted[sorted.length - 1 - cut] - sorted[cut];
}

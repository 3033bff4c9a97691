/** @param share from 0 to 1 @returns the number that this share of them does not exceed; NaN of none */
export function at(numbers, share) {
  const sorted = Float64Array.from(numbers).sort();
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

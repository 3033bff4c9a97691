/** Runs something after so many milliseconds. @returns what stops it */
export const later = (ms: number, run: () => void): (() => void) => {
  const timer = setTimeout(run, ms);
  // a start that fails later on must not be kept alive by it
  timer.unref();
  return () => clearTimeout(timer);
};

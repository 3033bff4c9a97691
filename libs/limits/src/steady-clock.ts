/**
 * A clock that never runs backwards: when `now` steps back, time stands still for that step and goes on from there. So a
 * step neither gives permits early nor holds anyone for longer than the limits say.
 * @param now ms since epoch
 */
export function steadyClock(now: () => number): () => number {
  let read = now();
  let steady = read;
  return () => {
    const at = now();
    steady += Math.max(0, at - read);
    read = at;
    return steady;
  };
}

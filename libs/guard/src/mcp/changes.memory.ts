import type { Change, Changes } from './changes.js';

/** Changes of the lists of one process, told to all its subscriptions. */
export function memoryChanges(...kinds: readonly Change[]): Changes & { tell(change: Change): void } {
  const listeners = new Set<(change: Change) => void>();
  return {
    kinds: new Set(kinds),
    subscribe(heard) {
      listeners.add(heard);
      return () => void listeners.delete(heard);
    },
    tell(change) {
      for (const heard of listeners) heard(change);
    },
  };
}

/** Whose exchange it is: with which host, and for whom, so that no owner's slow hosts keep others waiting. */
export interface OutsideTurn {
  readonly host: string;
  readonly owner: string;
}

/** How many exchanges may be under way and how many may wait. */
export interface OutsideBounds {
  readonly perHost: number;
  readonly perOwner: number;
  readonly inAll: number;
  readonly waitingPerOwner: number;
  readonly waiting: number;
}
export const OUTSIDE_BOUNDS: OutsideBounds = {
  perHost: 4,
  perOwner: 8,
  inAll: 64,
  waitingPerOwner: 64,
  waiting: 1024,
};

export interface OutsideTurns {
  /**
   * Calls `go` as soon as there is room: at once, or when others have left. Whoever came first goes first, except that
   * whose host or owner has no room is passed by.
   * @returns leaves, under way or still waiting, once; undefined = too many wait already
   */
  enter(turn: OutsideTurn, go: () => void): (() => void) | undefined;
}

interface Waiting {
  readonly turn: OutsideTurn;
  readonly go: () => void;
}

export function outsideTurns(bounds: OutsideBounds = OUTSIDE_BOUNDS): OutsideTurns {
  const hosts = new Map<string, number>();
  const owners = new Map<string, number>();
  const waiting = new Set<Waiting>();
  const running = new Set<Waiting>();
  const add = (counts: Map<string, number>, key: string, by: number): void => {
    const sum = (counts.get(key) ?? 0) + by;
    if (sum === 0) counts.delete(key);
    else counts.set(key, sum);
  };
  const hasRoom = ({ host, owner }: OutsideTurn): boolean =>
    (hosts.get(host) ?? 0) < bounds.perHost &&
    (owners.get(owner) ?? 0) < bounds.perOwner &&
    running.size < bounds.inAll;
  const start = (one: Waiting): void => {
    waiting.delete(one);
    running.add(one);
    add(hosts, one.turn.host, 1);
    add(owners, one.turn.owner, 1);
    one.go();
  };
  const leave = (one: Waiting): void => {
    if (waiting.delete(one) || !running.delete(one)) return;
    add(hosts, one.turn.host, -1);
    add(owners, one.turn.owner, -1);
    for (const next of waiting) {
      if (running.size >= bounds.inAll) return;
      if (hasRoom(next.turn)) start(next);
    }
  };
  return {
    enter(turn, go) {
      const one = { turn, go };
      if (!hasRoom(turn)) {
        const ofOwner = [...waiting].filter(({ turn: { owner } }) => owner === turn.owner).length;
        if (waiting.size >= bounds.waiting || ofOwner >= bounds.waitingPerOwner) return undefined;
        waiting.add(one);
      } else start(one);
      return () => leave(one);
    },
  };
}

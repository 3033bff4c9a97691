import type { Message } from '@portcullis/bus/bus';
import type { Log } from '@portcullis/contract/log';
import {
  revocationKey,
  revocationMessage,
  revocationTombstone,
  type Horizon,
  type RevocationRecord,
  type Revocations,
} from './revocations.js';

export interface RevocationAnnouncerPorts {
  readonly revocations: Pick<Revocations, 'since' | 'expired' | 'forget'>;
  /** puts messages on the feed; resolves when the feed answers for them */
  publish(messages: readonly Message[]): Promise<void>;
  /** runs something after so many milliseconds; the answer stops it */
  later(ms: number, run: () => void): () => void;
  /** ms since epoch */
  now(): number;
  readonly log: Log;
}

/**
 * Tells the other services what is committed here, at least once each, and looks every so often for what another replica
 * committed, so that each replica's own feed hears of it. What could not be told is told later. One at a time, and a row
 * is always told as it is by then.
 */
export interface RevocationAnnouncer {
  /** Publishes everything that is revoked now, then looks for news on its own. @throws when the feed does not take it */
  start(): Promise<void>;
  /** Resolves after one attempt at everything untold. Never rejects: what failed is tried again on its own. */
  announce(): Promise<void>;
  /** Forgets what ends nothing any more, here and on the feed. @throws when either cannot */
  sweep(): Promise<void>;
  /** 'ok', or what could not be told the last time */
  state(): string;
  stop(): Promise<void>;
}

/** Half of the second in which another replica's revocation has to be known here. */
const LOOK_EVERY_MS = 400;
const AT_ONCE = 500;

export function revocationAnnouncer(ports: RevocationAnnouncerPorts): RevocationAnnouncer {
  const { revocations, publish, later, now, log } = ports;
  let last: Promise<unknown> = Promise.resolve();
  let waiting: Promise<void> | undefined;
  let cancel: (() => void) | undefined;
  let failure: string | undefined;
  let stopped = false;
  let horizon: Horizon | undefined;
  /** what came with the last look: while a transaction stays open, each look brings its contemporaries again */
  let told = new Map<string, string>();

  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const turn = last.then(act);
    last = turn.catch(() => undefined);
    return turn;
  };

  const tell = async (rows: readonly RevocationRecord[]): Promise<void> => {
    for (let from = 0; from < rows.length; from += AT_ONCE) {
      await publish(rows.slice(from, from + AT_ONCE).map(revocationMessage));
    }
  };

  const look = async (): Promise<void> => {
    const found = await revocations.since(horizon, now());
    await tell(found.rows.filter((row) => told.get(revocationKey(row)) !== timesOf(row)));
    horizon = found.horizon;
    told = new Map(found.rows.map((row) => [revocationKey(row), timesOf(row)]));
  };

  const attempt = async (): Promise<void> => {
    waiting = undefined;
    if (stopped) return;
    cancel?.();
    try {
      await look();
      if (failure !== undefined) log.info('every revocation is announced again');
      failure = undefined;
    } catch (error) {
      if (failure === undefined) log.error('a revocation could not be announced; trying again', { error });
      failure = 'revocations wait to be announced';
    }
    if (!stopped) cancel = later(LOOK_EVERY_MS, () => void announce());
  };
  // one that waits for its turn will see whatever is committed by now
  const announce = (): Promise<void> => (waiting ??= inTurn(attempt));

  const forgetSome = async (): Promise<number> => {
    const rows = await revocations.expired(now(), AT_ONCE);
    if (rows.length === 0) return 0;
    await publish(rows.map(revocationTombstone));
    await revocations.forget(rows, now());
    // One of them may have been revoked again meanwhile, here or elsewhere, and told before its tombstone.
    told = new Map();
    await look();
    return rows.length;
  };

  return {
    async start() {
      await inTurn(look);
      cancel = later(LOOK_EVERY_MS, () => void announce());
    },
    announce,
    sweep: () =>
      inTurn(async () => {
        while (!stopped && (await forgetSome()) === AT_ONCE);
      }),
    state: () => failure ?? 'ok',
    async stop() {
      stopped = true;
      cancel?.();
      await last;
    },
  };
}

const timesOf = ({ at, until }: RevocationRecord): string => `${at} ${until}`;

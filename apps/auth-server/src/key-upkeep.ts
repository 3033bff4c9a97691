import type { EventLog } from '@portcullis/bus/outbox';
import { DEFAULT_TENANT } from '@portcullis/contract/ids';
import type { Log } from '@portcullis/contract/log';
import type { SigningAlgorithm } from '@portcullis/scopes/algorithms';
import { adminEvent } from './audit.js';
import type { KeyRing } from './key-ring.js';
import { rotationAsked, rotationDue, type Rotation, type TooSoon } from './key-rotation.js';
import type { NewKey, Signer, Signers } from './signer.js';
import type { SigningKeys, StoredKey, StoredKeyChange } from './signing-keys.js';

export interface KeyUpkeepPorts {
  readonly keys: SigningKeys;
  readonly signers: Signers;
  readonly ring: KeyRing;
  readonly events: EventLog;
  readonly log: Log;
  /** algorithms that tokens are signed with */
  readonly inUse: readonly SigningAlgorithm[];
  /** how long a key signs; 0 = until somebody rotates it */
  readonly everyDays: number;
  /** ms since epoch */
  now(): number;
}

export interface RotationRequest {
  readonly alg?: SigningAlgorithm | undefined;
  readonly early: boolean;
  /** who asks, as the audit names them */
  readonly actor: string;
}
export type RotationOutcome =
  | { readonly done: true; readonly keys: readonly StoredKey[] }
  /** `tooSoon`: undefined = there is no such key */
  | { readonly done: false; readonly tooSoon: TooSoon | undefined };

export interface KeyUpkeep {
  /**
   * Opens the keys for the first time, and seals them anew when KEY_ENCRYPTION_KEY has changed.
   * @throws KeyCannotBeOpened
   */
  open(): Promise<void>;
  /** Does what is due, and takes over what other replicas did. Called every second. */
  tick(): Promise<void>;
  rotate(request: RotationRequest): Promise<RotationOutcome>;
  /** Resolves when nothing that was begun is left. */
  idle(): Promise<void>;
}

/** Whose name stands for what nobody asked for. */
const ITSELF = 'auth-server';

/** Keeps the ring at what the database says, and the database at what key-rotation.ts says. */
export function keyUpkeep(ports: KeyUpkeepPorts): KeyUpkeep {
  const { keys, signers, ring, log, inUse, everyDays, now } = ports;
  let opened: ReadonlyMap<string, Signer> = new Map();
  const failed = new Set<string>();

  /** A key that does not open here (this replica was not given the new KEY_ENCRYPTION_KEY) is published all the same. */
  const show = async (stored: readonly StoredKey[], mustOpen: boolean): Promise<void> => {
    const all = new Map<string, Signer>();
    for (const key of stored) {
      // what signs no more need not be opened; what signed a moment ago still ends what it began
      const known = opened.get(key.kid);
      if (known === undefined && key.state === 'retiring') continue;
      const signer = known ?? (await signers.open(key).catch((error: unknown) => missing(key, error, mustOpen)));
      if (signer !== undefined) all.set(key.kid, signer);
    }
    opened = all;
    ring.replace(stored, all);
  };
  const missing = (key: StoredKey, error: unknown, mustOpen: boolean): undefined => {
    if (mustOpen) throw error;
    // said once; tried again every second
    if (!failed.has(key.kid)) log.error('a signing key does not open here', { kid: key.kid, error });
    failed.add(key.kid);
  };

  /** Makes the keys that a rotation adds before the database is asked to wait for anybody. */
  const make = async (rotation: Rotation): Promise<NewKey[]> =>
    Promise.all(rotation.add.map(({ alg }) => signers.make(alg)));

  const upkeep = async (): Promise<readonly StoredKey[]> => {
    const due = (stored: readonly StoredKey[]) => rotationDue(stored, inUse, everyDays, now());
    const stored = await keys.list();
    const rotation = due(stored);
    if (rotation === undefined) return stored;
    const made = await make(rotation);
    let before = stored;
    const decide = (locked: readonly StoredKey[]) => filled(due((before = locked)), made);
    return keys.change(decide, (change) => recordChange(ports, change, before, { actor: ITSELF }));
  };

  const rotate = async (request: RotationRequest): Promise<RotationOutcome> => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const asked = (stored: readonly StoredKey[]) => rotationAsked(stored, inUse, request, now());
      const rotation = asked(await keys.list());
      if (rotation === undefined || 'possibleAt' in rotation) return { done: false, tooSoon: rotation };
      const made = await make(rotation);
      let before: readonly StoredKey[] = [];
      let done = false;
      const decide = (locked: readonly StoredKey[]) => {
        const still = asked((before = locked));
        return still === undefined || 'possibleAt' in still ? undefined : filled(still, made);
      };
      const stored = await keys.change(decide, async (change) => {
        const reason = request.early ? 'asked for, at once' : 'asked for';
        await recordChange(ports, change, before, { actor: request.actor, reason });
        done = true;
      });
      await show(stored, false);
      if (done) return { done, keys: stored };
      // somebody else was faster: the next attempt says what that means
    }
    throw new Error('the signing keys are never the same twice');
  };

  let turn: Promise<unknown> = Promise.resolve();
  let ticking: Promise<void> | undefined;
  /** One after the other, so that the ring never goes back to what the keys were before. */
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  };

  return {
    open: () =>
      alone(async () => {
        const stored = await upkeep();
        await show(stored, true);
        for (const key of stored.filter(({ state }) => state !== 'retiring')) {
          const sealed = await signers.reseal(key);
          if (sealed !== undefined) await keys.reseal(key.kid, key.sealed, sealed);
        }
      }),
    tick: () =>
      (ticking ??= alone(async () => show(await upkeep(), false)).finally(() => {
        ticking = undefined;
      })),
    idle: async () => void (await turn),
    rotate: (request) => alone(() => rotate(request)),
  };
}

const ATTEMPTS = 3;

/** @returns undefined when it asks for a key that was not made: then it has to wait for another turn */
function filled(rotation: Rotation | undefined, made: readonly NewKey[]): StoredKeyChange | undefined {
  if (rotation === undefined) return undefined;
  const { add, move, remove } = rotation;
  const left = [...made];
  const stored = add.map(({ alg, state, notBefore }) => {
    const at = left.findIndex((key) => key.alg === alg);
    const [key] = at < 0 ? [] : left.splice(at, 1);
    return key && { ...key, state, notBefore, notAfter: undefined };
  });
  return stored.every((key) => key !== undefined) ? { add: stored, move, remove } : undefined;
}

/** One event for each thing that happened to a key, before it happens. Keys are the issuer's, so its own tenant has them. */
async function recordChange(
  { events, now }: KeyUpkeepPorts,
  { add, move, remove }: StoredKeyChange,
  before: readonly StoredKey[],
  { actor, reason }: { readonly actor: string; readonly reason?: string },
): Promise<void> {
  const algOf = (kid: string) => before.find((key) => key.kid === kid)?.alg ?? '';
  const record = async (action: string, target: string, says: readonly (string | undefined)[]): Promise<void> => {
    const why = says.filter((each) => each !== undefined).join('; ');
    await events.append(adminEvent(DEFAULT_TENANT, { action, actor, target, reason: why }, now()));
  };
  for (const { kid, state } of move) {
    const alg = algOf(kid);
    if (state === 'active') {
      const old = move.find((other) => other.state === 'retiring' && algOf(other.kid) === alg);
      await record('keys.rotated', kid, [alg, old && `replaces ${old.kid}`, reason]);
    } else if (!move.some((other) => other.state === 'active' && algOf(other.kid) === alg)) {
      await record('keys.ended', kid, [alg, 'no longer in use', reason]);
    }
  }
  for (const kid of remove) await record('keys.removed', kid, [algOf(kid)]);
  for (const { kid, alg, state } of add) await record('keys.made', kid, [alg, state]);
}

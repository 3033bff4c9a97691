import type { SigningKeys } from '@portcullis/guard/token';
import { DEFAULT_ALGORITHM, type SigningAlgorithm } from '@portcullis/scopes/algorithms';
import { createLocalJWKSet, type JSONWebKeySet, type JWK, type JWTVerifyGetKey } from 'jose';
import { KeyCannotBeOpened, type Signer } from './signer.js';
import type { StoredKey } from './signing-keys.js';

/** The keys of this moment: which of them sign, and what verifiers are told. Whoever keeps it up to date replaces them. */
export class KeyRing {
  #keys: readonly StoredKey[] = [];
  #signers: ReadonlyMap<string, Signer> = new Map();
  #jwks: JSONWebKeySet = { keys: [] };
  #verifying: JWTVerifyGetKey = createLocalJWKSet(this.#jwks);
  #withdrawals = 0;

  /** @param signers by kid; a key without one is published all the same */
  replace(keys: readonly StoredKey[], signers: ReadonlyMap<string, Signer>): void {
    const kids = new Set(keys.map(({ kid }) => kid));
    this.#withdrawals += this.#keys.filter(({ kid }) => !kids.has(kid)).length;
    this.#keys = keys;
    this.#signers = signers;
    this.#jwks = { keys: keys.map(published) };
    this.#verifying = createLocalJWKSet(this.#jwks);
  }

  /** What verifiers get (RFC 7517): the public members of every key. */
  get jwks(): JSONWebKeySet {
    return this.#jwks;
  }

  /** For jose: the key that a token names, of the keys of the moment it is asked. */
  readonly verifying: SigningKeys = Object.assign(
    ((header, token) => this.#verifying(header, token)) satisfies JWTVerifyGetKey,
    { withdrawals: () => this.#withdrawals },
  );

  /** The key that signs with this algorithm; while there is none yet, the one that will. */
  current(alg: SigningAlgorithm): StoredKey | undefined {
    const of = (state: StoredKey['state']) => this.#keys.find((key) => key.alg === alg && key.state === state);
    return of('active') ?? of('next');
  }

  /** `wanted` once its key has been published for long enough; until then what every verifier knows. */
  algorithmFor(wanted: SigningAlgorithm): SigningAlgorithm {
    return this.current(wanted)?.state === 'active' ? wanted : DEFAULT_ALGORITHM;
  }

  /**
   * Signs with the key that the JWS header names, also when it was replaced since the header was written.
   * @throws KeyCannotBeOpened
   */
  async sign(data: Uint8Array): Promise<Uint8Array> {
    const kid = kidOf(data);
    const signer = this.#signers.get(kid);
    if (signer === undefined) throw new KeyCannotBeOpened(`Signing key ${kid} is not open here.`);
    return signer.sign(data);
  }
}

const published = ({ publicJwk, kid, alg }: StoredKey): JWK => ({ ...publicJwk, kid, alg, use: 'sig' });

/** `kid` of the protected header that a JWS signing input begins with (RFC 7515 §5.1). */
function kidOf(data: Uint8Array): string {
  const header = Buffer.from(data.buffer, data.byteOffset, data.indexOf(DOT)).toString('latin1');
  let kid = headers.get(header);
  if (kid === undefined) {
    ({ kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string });
    if (headers.size >= HEADERS_AT_MOST) headers.clear();
    headers.set(header, kid);
  }
  return kid;
}
/** The headers of a key's tokens are all the same. */
const headers = new Map<string, string>();
const HEADERS_AT_MOST = 64;
const DOT = '.'.charCodeAt(0);

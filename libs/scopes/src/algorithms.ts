import { RESOURCES, type ResourceName } from './resources.js';

/**
 * Signatures that our authorization server makes, and so the only ones that our APIs take (RFC 8725 §3.1). `none` and
 * every HMAC are absent, so that a public key can never be used as a secret. EdDSA is Ed25519 here, under the name that
 * RFC 8037 gave it; the newer name `Ed25519` (RFC 9864) is not used, since not every verifier knows it yet.
 */
export const SIGNING_ALGORITHMS = ['ES256', 'RS256', 'EdDSA'] as const;
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

/** What every token is signed with unless its resource asks for another. */
export const DEFAULT_ALGORITHM = 'ES256' satisfies SigningAlgorithm;

/** Resources whose tokens are signed with another algorithm than the default. */
export type TokenAlgorithms = Readonly<Partial<Record<ResourceName, SigningAlgorithm>>>;

export const isSigningAlgorithm = (text: string): text is SigningAlgorithm =>
  (SIGNING_ALGORITHMS as readonly string[]).includes(text);

/**
 * Reads `mcp=RS256 analytics=EdDSA`: names of resources, each at most once, separated by blanks or commas.
 * @returns a sentence that says what is wrong, if anything is
 */
export function parseTokenAlgorithms(text: string): TokenAlgorithms | string {
  const algorithms: Partial<Record<ResourceName, SigningAlgorithm>> = {};
  for (const word of text.split(/[\s,]+/).filter((each) => each !== '')) {
    const [name = '', algorithm = '', ...more] = word.split('=');
    if (!Object.hasOwn(RESOURCES, name)) return `names a resource that is none of ${Object.keys(RESOURCES).join(', ')}`;
    if (!isSigningAlgorithm(algorithm) || more.length > 0) {
      return `must give ${name} one of ${SIGNING_ALGORITHMS.join(', ')}, as in ${name}=RS256`;
    }
    if (Object.hasOwn(algorithms, name)) return `names ${name} twice`;
    algorithms[name as ResourceName] = algorithm;
  }
  return algorithms;
}

/** The algorithms that keys are kept for: the default one, and what any resource asks for. */
export const algorithmsInUse = (algorithms: TokenAlgorithms): readonly SigningAlgorithm[] => [
  ...new Set<SigningAlgorithm>([DEFAULT_ALGORITHM, ...Object.values(algorithms)]),
];

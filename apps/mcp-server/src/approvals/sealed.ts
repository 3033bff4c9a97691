import { createCipheriv, createDecipheriv, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

const IV_BYTES = 12;
const TAG_BYTES = 16;
/** More than any browser keeps in one cookie. */
const MAX_LENGTH = 8192;

/** What a browser keeps for us and can neither read nor change. `use` parts one kind from another. */
export interface SealedCookies {
  seal(use: string, value: object): string;
  /** @returns undefined when it is not ours, or was made for another use */
  open(use: string, text: string | undefined): unknown;
  /** what only a page that we made for this session can hold */
  formToken(session: string): string;
  fits(session: string, token: unknown): boolean;
}

const derived = (key: Uint8Array, use: 'cookies' | 'forms'): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', key, new Uint8Array(0), `portcullis/approval-${use}`, 32));

/**
 * AES-256-GCM under keys that come of STATE_KEY.
 * @param keys   the present key and, while it is being rotated, the one before; 32 bytes each
 * @param random so many random bytes
 */
export function sealedCookies(keys: readonly Uint8Array[], random: (bytes: number) => Uint8Array): SealedCookies {
  const ciphers = keys.map((key) => derived(key, 'cookies'));
  const macs = keys.map((key) => derived(key, 'forms'));
  const tokenOf = (key: Uint8Array, session: string): string =>
    createHmac('sha256', key).update(session).digest('base64url');

  return {
    seal(use, value) {
      const iv = random(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', ciphers[0]!, iv);
      cipher.setAAD(Buffer.from(use));
      const body = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url');
    },

    open(use, text) {
      if (text === undefined || text.length > MAX_LENGTH) return undefined;
      const whole = Buffer.from(text, 'base64url');
      if (whole.length <= IV_BYTES + TAG_BYTES) return undefined;
      for (const key of ciphers) {
        const decipher = createDecipheriv('aes-256-gcm', key, whole.subarray(0, IV_BYTES), {
          authTagLength: TAG_BYTES,
        });
        decipher.setAAD(Buffer.from(use));
        decipher.setAuthTag(whole.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
        try {
          const plain = Buffer.concat([decipher.update(whole.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
          return JSON.parse(plain.toString('utf8')) as unknown;
        } catch {
          // not by this key
        }
      }
      return undefined;
    },

    formToken: (session) => tokenOf(macs[0]!, session),

    fits: (session, token) =>
      typeof token === 'string' &&
      macs.some((key) => {
        const [made, given] = [Buffer.from(tokenOf(key, session)), Buffer.from(token)];
        return made.length === given.length && timingSafeEqual(made, given);
      }),
  };
}

import { Refusal } from '@portcullis/contract/refusals';
import { connect } from 'node:net';
import type { Scanned, Scanner } from './scanner.js';

/** ms for a whole exchange with the scanner */
const TIMEOUT_MS = 8_000;
/** bytes of an answer that are read; a verdict is a line */
const MAX_ANSWER = 1_024;
const CHUNK = 64 * 1024;

/**
 * clamd, asked over TCP with one connection a file. It gets the bytes and nothing else.
 * @see clamd(8), INSTREAM and PING; the z prefix ends commands and answers with NUL
 */
export function clamdScanner({ host, port }: { host: string; port: number }, timeoutMs = TIMEOUT_MS): Scanner {
  const ask = (words: readonly Uint8Array[], signal?: AbortSignal): Promise<string> =>
    exchange({ host, port, timeoutMs, signal }, words);
  return {
    async scan(bytes, signal) {
      try {
        return verdict(await ask(instream(bytes), signal));
      } catch (error) {
        throw new Refusal(
          'overloaded',
          { retryAfterMs: 5_000 },
          { detail: 'the scanner gives no verdict', cause: error },
        );
      }
    },
    state: async () => ((await ask([Buffer.from('zPING\0')])) === 'PONG' ? 'ok' : 'does not answer'),
  };
}

/** Chunks of a big-endian length and as many bytes, ended by a length of zero. */
function instream(bytes: Uint8Array): Uint8Array[] {
  const words: Uint8Array[] = [Buffer.from('zINSTREAM\0')];
  for (let at = 0; at < bytes.length; at += CHUNK) {
    const chunk = bytes.subarray(at, at + CHUNK);
    words.push(uint32(chunk.length), chunk);
  }
  return [...words, uint32(0)];
}

function uint32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Only the very words of a verdict are one: `stream: OK`, `stream: NAME FOUND`. @throws Error */
function verdict(answer: string): Scanned {
  if (answer === 'stream: OK') return 'clean';
  if (/^stream: [^\0]{1,500} FOUND$/.test(answer)) return 'infected';
  throw new Error('clamd answers something else than a verdict');
}

interface Line {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Says the words and hears one answer up to its NUL. @throws Error when none comes in time */
function exchange({ host, port, timeoutMs, signal }: Line, words: readonly Uint8Array[]): Promise<string> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new Error('nobody waits for the verdict'));
    const socket = connect({ host, port });
    const heard: Buffer[] = [];
    let size = 0;
    const timer = setTimeout(() => end(new Error('clamd takes too long')), timeoutMs);
    const stop = (): void => end(new Error('nobody waits for the verdict'));
    const end = (outcome: Error | string): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      socket.destroy();
      if (typeof outcome === 'string') resolve(outcome);
      else reject(outcome);
    };
    signal?.addEventListener('abort', stop);
    socket.on('error', end);
    socket.on('close', () => end(new Error('clamd hung up')));
    socket.on('data', (bytes) => {
      heard.push(bytes);
      size += bytes.length;
      const answer = Buffer.concat(heard).toString('latin1');
      const nul = answer.indexOf('\0');
      if (nul !== -1) end(answer.slice(0, nul));
      else if (size > MAX_ANSWER) end(new Error('clamd says too much'));
    });
    for (const word of words) socket.write(word);
  });
}

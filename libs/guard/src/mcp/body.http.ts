import { Refusal } from '@portcullis/contract/refusals';
import { Buffer } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { Slot } from '../slots.js';

/**
 * Reads a body into memory up to a bound. Beyond the bound nothing more is kept; what still comes is for {@link discard}.
 * @param slot gives the room: for all of it beforehand when its length is known, else as it comes
 * @throws Refusal body_too_large; json_malformed when it is not UTF-8; request_invalid when the client goes away; the slot's
 */
export function readText(request: IncomingMessage, maxBytes: number, slot: Slot): Promise<string> {
  const declared = Number(request.headers['content-length']);
  if (declared > maxBytes) return Promise.reject(new Refusal('body_too_large'));
  // Gone while its token was looked at: no event would tell of it any more.
  if (request.destroyed) return Promise.reject(gone());
  const known = request.headers['content-length'] !== undefined;
  return new Promise((resolve, reject) => {
    if (known) slot.hold(declared);
    // most bodies come in one piece with their head, and are here by now
    if (request.complete && declared > 0 && request.readableLength === declared)
      return decode([request.read()], resolve, reject);
    const chunks: Buffer[] = [];
    /** how many of them, from the first, are put together already */
    let joined = 0;
    let size = 0;
    const refuse = (error: Error): void => {
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
      request.pause();
      reject(error);
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > maxBytes) return refuse(new Refusal('body_too_large'));
      try {
        if (!known) slot.hold(chunk.length);
        chunks.push(chunk);
        if (chunks.length - joined === PIECES) joined = chunks.push(Buffer.concat(chunks.splice(joined)));
      } catch (error) {
        refuse(error as Error);
      }
    };
    let ended = false;
    const onEnd = (): void => {
      ended = true;
      decode(chunks, resolve, reject);
    };
    // every request is closed some time, most of them after their end
    const onClose = (): void => {
      if (!ended) refuse(gone());
    };
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  });
}

/** So many are put together into one: a piece of one byte takes hundreds in memory, and no slot counts those. */
const PIECES = 256;

const gone = (): Refusal => new Refusal('request_invalid', {}, { detail: 'the client went away while sending' });

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
function decode(chunks: Buffer[], resolve: (text: string) => void, reject: (refusal: Refusal) => void): void {
  try {
    resolve(UTF8.decode(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)));
  } catch {
    reject(new Refusal('json_malformed', {}, { detail: 'not UTF-8' }));
  }
}

const DISCARD_BYTES = 16 * 1024 * 1024;
const DISCARD_MS = 2_000;

/**
 * Swallows what is left of a request whose answer is already on its way. Closing at once would reset the connection
 * under a client that is still sending, and it would never see the answer; swallowing without end would let it hold us.
 */
export function discard(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  let left = DISCARD_BYTES;
  const cut = (): void => void request.socket.destroy();
  const timer = setTimeout(cut, DISCARD_MS).unref();
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) cut();
  });
  request.once('close', () => clearTimeout(timer)).once('end', () => clearTimeout(timer));
  request.resume();
}

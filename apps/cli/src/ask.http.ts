import type { Ask } from './ask.js';
import { NotDone, Unreachable } from './faults.js';

const TIMEOUT_MS = 15_000;
const MAX_BYTES = 16 * 1024 * 1024;

export const ask: Ask = async (url, { method = 'GET', headers = {}, body } = {}) => {
  try {
    const response = await fetch(url, {
      method,
      headers,
      ...(body !== undefined && { body }),
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await boundedText(response);
    return { status: response.status, header: (name) => response.headers.get(name) ?? undefined, text };
  } catch (error) {
    const [why, nobody] = reason(error);
    const says = `${new URL(url).origin} does not answer (${why}). Is the gate running? Start it with 'npm start'.`;
    throw nobody ? new Unreachable(says) : new NotDone(says);
  }
};

async function boundedText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += (chunk as Uint8Array).byteLength;
    if (bytes > MAX_BYTES) throw new Error('answer too large');
    text += decoder.decode(chunk as Uint8Array, { stream: true });
  }
  return text + decoder.decode();
}

const NOBODY = ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN'];

/** Node's fetch hides the reason in `cause`; its code says it in one word. @returns the word, and whether nobody is there */
function reason(error: unknown): [why: string, nobody: boolean] {
  const { cause, name, message } = error as { cause?: { code?: string }; name?: string; message?: string };
  if (name === 'TimeoutError') return [`no answer within ${TIMEOUT_MS / 1000} s`, false];
  return [cause?.code ?? message ?? 'unknown reason', NOBODY.includes(cause?.code ?? '')];
}

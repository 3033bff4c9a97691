import type { Ask } from './ask.js';
import { NotDone } from './faults.js';

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
    throw new NotDone(
      `${new URL(url).origin} does not answer (${reason(error)}). Is the gate running? Start it with 'npm start'.`,
    );
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

/** Node's fetch hides the reason in `cause`; its code says it in one word (ECONNREFUSED). */
function reason(error: unknown): string {
  const { cause, name, message } = error as { cause?: { code?: string }; name?: string; message?: string };
  if (name === 'TimeoutError') return `no answer within ${TIMEOUT_MS / 1000} s`;
  return cause?.code ?? message ?? 'unknown reason';
}

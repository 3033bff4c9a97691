/** What bounds a call to one of our own services. */
export interface InsideInit extends Omit<RequestInit, 'redirect' | 'signal'> {
  /** milliseconds for the whole exchange, 5,000 unless said otherwise */
  readonly timeoutMs?: number;
  /** bytes of the answer's body, 1 MiB unless said otherwise */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

/**
 * `fetch` to a service of ours, whose URL comes from settings: bounded in time and size, no redirects. The answer's body
 * has been read when it resolves. URLs that a client, a document or a person gave never come here.
 * @throws Error when there is no answer in time, or it is a redirect or too large
 */
export async function fetchInside(
  url: string,
  { timeoutMs = 5_000, maxBytes = 1024 * 1024, signal, ...init }: InsideInit = {},
): Promise<Response> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const response = await fetch(url, {
    ...init,
    redirect: 'error',
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
  });
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    // leaving the loop cancels the body
    if (size > maxBytes) throw new Error(`the answer of ${new URL(url).origin} is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  const bodiless = response.body === null || [204, 205, 304].includes(response.status);
  return new Response(bodiless ? null : Buffer.concat(chunks), {
    status: response.status,
    statusText: response.statusText,
    headers: response.headers,
  });
}

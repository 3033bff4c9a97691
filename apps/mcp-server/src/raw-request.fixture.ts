import { request, type IncomingHttpHeaders } from 'node:http';

export interface Sent {
  readonly method?: string;
  readonly headers: Record<string, string | readonly string[]>;
  readonly body?: string | Buffer;
  /** send without Content-Length, in chunks */
  readonly chunked?: boolean;
}
export interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** A request as bytes on the wire, with headers that `fetch` would not send (Host, Origin, a second Authorization). */
export function sendRaw(url: string, { method = 'POST', headers, body = '', chunked = false }: Sent): Promise<Got> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, agent: false, setHost: headers['host'] === undefined }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text });
      });
    });
    outgoing.on('error', reject);
    for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value);
    if (!chunked) outgoing.setHeader('content-length', Buffer.byteLength(body));
    outgoing.end(body);
  });
}

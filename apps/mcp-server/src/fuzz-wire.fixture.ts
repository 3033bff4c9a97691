import { connect, type Socket } from 'node:net';

export interface WireAnswer {
  readonly status: number;
  /** names in small letters */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** it was the beginning of an event stream, which was then left */
  readonly stream: boolean;
}
const LONGEST_MS = 20_000;
const HEAD_END = Buffer.from('\r\n\r\n');

/** Requests one at a time over one connection, which is opened again when the server ends it. Headers go as they are. */
export function wire(url: string) {
  const { port, host, pathname } = new URL(url);
  let open: Socket | undefined;

  const opened = (): Promise<Socket> =>
    new Promise((resolve, reject) => {
      if (open !== undefined && !open.destroyed && open.readyState === 'open') return resolve(open);
      const socket = connect({ port: Number(port), host: '127.0.0.1', noDelay: true }, () => resolve(socket));
      open = socket.once('error', reject);
    });

  return {
    async send({ method, query, headers, body, chunked }: Sent): Promise<WireAnswer> {
      const socket = await opened();
      const lines = [`${method} ${pathname}${query} HTTP/1.1`];
      if (!headers.some(([name]) => name === 'host')) lines.push(`host: ${host}`);
      for (const [name, value] of headers) lines.push(`${name}: ${value}`);
      lines.push(chunked ? 'transfer-encoding: chunked' : `content-length: ${body.length}`);
      const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
      const framed = chunked ? chunksOf(body) : body;
      const answer = read(socket, method === 'HEAD');
      socket.write(Buffer.concat([head, framed]));
      const found = await answer;
      if (found.stream || found.headers['connection'] === 'close') socket.destroy();
      return found;
    },
    close: () => void open?.destroy(),
  };
}

interface Sent {
  readonly method: string;
  readonly query: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
  readonly chunked: boolean;
}

function chunksOf(body: Buffer): Buffer {
  const chunk = (part: Buffer): Buffer =>
    part.length === 0
      ? Buffer.alloc(0)
      : Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]);
  const middle = body.length >> 1;
  return Buffer.concat([chunk(body.subarray(0, middle)), chunk(body.subarray(middle)), Buffer.from('0\r\n\r\n')]);
}

function read(socket: Socket, headOnly: boolean): Promise<WireAnswer> {
  return new Promise((resolve, reject) => {
    let held: Buffer = Buffer.alloc(0);
    const settle = (then: () => void): void => {
      clearTimeout(timer);
      socket.off('data', onData).off('close', onClose).off('error', onClose);
      then();
    };
    const onData = (data: Buffer): void => {
      held = held.length === 0 ? data : Buffer.concat([held, data]);
      const answer = parsed(held, headOnly);
      if (answer !== undefined) settle(() => resolve(answer));
    };
    const onClose = (): void =>
      settle(() => reject(new Error(`the connection ended before the answer; so far: ${held.toString('latin1')}`)));
    const timer = setTimeout(() => settle(() => reject(new Error('no answer'))), LONGEST_MS);
    socket.on('data', onData).on('close', onClose).on('error', onClose);
  });
}

function parsed(held: Buffer, headOnly: boolean): WireAnswer | undefined {
  const end = held.indexOf(HEAD_END);
  if (end < 0) return undefined;
  const [first = '', ...lines] = held.toString('latin1', 0, end).split('\r\n');
  const status = Number(first.split(' ')[1]);
  const rest = held.subarray(end + HEAD_END.length);
  if (status === 100) return parsed(rest, headOnly);
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const answer = (text: string, stream = false): WireAnswer => ({ status, headers, text, stream });
  if (headOnly || status === 204 || status === 304) return answer('');
  if (headers['content-type']?.startsWith('text/event-stream')) return answer('', true);
  const length = headers['content-length'];
  if (length === undefined) return rest.toString('latin1').endsWith('0\r\n\r\n') ? answer(unchunked(rest)) : undefined;
  return rest.length >= Number(length) ? answer(rest.toString('utf8', 0, Number(length))) : undefined;
}

function unchunked(rest: Buffer): string {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const line = rest.indexOf('\r\n', at);
    const size = Number.parseInt(rest.toString('latin1', at, line), 16);
    if (!(size > 0)) return Buffer.concat(parts).toString();
    parts.push(rest.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
}

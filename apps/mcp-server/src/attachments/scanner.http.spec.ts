import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { MAX_CONTENT } from './content.js';
import { clamdScanner } from './scanner.http.js';

/** The EICAR test file, in two parts, so that no scanner takes this file for it. */
const EICAR = ['X5O!P%@AP[4\\PZX54(P^)7CC)7}$', 'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'].join('');

/** Speaks clamd's protocol over TCP: zPING and zINSTREAM with its chunks, answers ended by NUL. */
function clamd(answer: (content: Buffer) => string | undefined) {
  const seen: Buffer[] = [];
  const server = createServer((socket) => {
    let heard = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      heard = Buffer.concat([heard, bytes]);
      const said = replyTo(heard, seen, answer);
      if (said !== undefined) socket.end(said);
    });
  });
  return { server, seen };
}

function replyTo(heard: Buffer, seen: Buffer[], answer: (content: Buffer) => string | undefined): string | undefined {
  const command = heard.subarray(0, Math.max(0, heard.indexOf(0))).toString();
  if (command === 'zPING') return 'PONG\0';
  if (command !== 'zINSTREAM') return undefined;
  const chunks: Buffer[] = [];
  let at = command.length + 1;
  while (at + 4 <= heard.length) {
    const length = heard.readUInt32BE(at);
    if (length === 0) {
      const content = Buffer.concat(chunks);
      seen.push(content);
      return answer(content);
    }
    if (at + 4 + length > heard.length) return undefined;
    chunks.push(heard.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return undefined;
}

const servers: Server[] = [];
async function listening(server: Server): Promise<{ host: string; port: number }> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});
const waiting = () => new AbortController().signal;
const honest = (content: Buffer) => (content.includes(EICAR) ? 'stream: Eicar-Signature FOUND\0' : 'stream: OK\0');

it('a file reaches clamd whole, whatever its size, and its verdict comes back', async () => {
  const { server, seen } = clamd(honest);
  const scanner = clamdScanner(await listening(server));
  const large = Buffer.alloc(MAX_CONTENT, 'abc');
  expect(await scanner.scan(large, waiting())).toBe('clean');
  expect(await scanner.scan(Buffer.from(EICAR), waiting())).toBe('infected');
  expect(seen[0]?.equals(large)).toBe(true);
  expect(await scanner.state()).toBe('ok');
});

it.each([
  ['an error', 'INSTREAM size limit exceeded. ERROR\0'],
  ['a file of another name', 'stream: OK FOUND ERROR\0'],
  ['an empty answer', '\0'],
  ['an answer without its end', 'stream: OK'],
  ['an answer that does not end', 'x'.repeat(5_000)],
])('%s is no verdict, and the file is refused', async (_what, said) => {
  const scanner = clamdScanner(await listening(clamd(() => said).server));
  await expect(scanner.scan(Buffer.from('hello'), waiting())).rejects.toMatchObject({ code: 'overloaded' });
});

it('a scanner that is not there, or says nothing in time, lets nothing pass', async () => {
  const gone = await listening(createServer());
  await new Promise((resolve) => servers.pop()?.close(resolve));
  await expect(clamdScanner(gone).scan(Buffer.from('a'), waiting())).rejects.toMatchObject({ code: 'overloaded' });
  await expect(clamdScanner(gone).state()).rejects.toThrow();
  const sockets: Socket[] = [];
  const silent = clamdScanner(await listening(createServer((socket) => sockets.push(socket))), 50);
  await expect(silent.scan(Buffer.from('a'), waiting())).rejects.toMatchObject({ code: 'overloaded' });
  for (const socket of sockets) socket.destroy();
});

it('the connection ends when nobody waits for the verdict any more', async () => {
  let closed: Promise<unknown> | undefined;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    closed = once(socket.resume(), 'close');
    gone.abort();
  });
  const gone = new AbortController();
  const scanner = clamdScanner(await listening(server));
  await expect(scanner.scan(Buffer.from('a'), gone.signal)).rejects.toMatchObject({ code: 'overloaded' });
  await closed;
  await expect(scanner.scan(Buffer.from('a'), gone.signal)).rejects.toMatchObject({ code: 'overloaded' });
});

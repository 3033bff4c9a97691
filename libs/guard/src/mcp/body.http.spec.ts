import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Slot } from '../slots.js';
import { readText } from './body.http.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const slot: Slot = { hold: () => undefined, leave: () => undefined };

function arriving() {
  const request = Object.assign(new PassThrough(), { headers: {} });
  return { request, text: readText(request as unknown as IncomingMessage, 1024 * 1024, slot) };
}

test('a body in pieces is the text that it was cut from, however small they are', async () => {
  const whole = 'añ€😀'.repeat(500);
  const bytes = Buffer.from(whole);
  for (const size of [1, 2, 3, 7, 1000]) {
    const { request, text } = arriving();
    for (let at = 0; at < bytes.length; at += size) request.write(bytes.subarray(at, at + size));
    request.end();
    expect(await text).toBe(whole);
  }
});

test('pieces of one byte are not kept one by one: each would take hundreds', async () => {
  const { request, text } = arriving();
  const pieces: WeakRef<Buffer>[] = [];
  for (let n = 0; n < 5_000; n++) {
    const piece = Buffer.from('x');
    pieces.push(new WeakRef(piece));
    request.write(piece);
    if (n % 50 === 0) await turn();
  }
  await turn();
  collect();
  expect(pieces.filter((piece) => piece.deref() !== undefined).length).toBeLessThan(500);
  request.end();
  expect(await text).toBe('x'.repeat(5_000));
});

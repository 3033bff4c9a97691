import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { principalId } from '@portcullis/contract/ids';
import { Secret } from '@portcullis/contract/secret';
import { openRedis } from '@portcullis/redis/connect.redis';
import { keyedId } from '@portcullis/redis/keyed-id';
import type { Redis } from '@portcullis/redis/redis';
import { randomBytes } from 'node:crypto';
import { GenericContainer, Wait, type StartedTestContainer } from 'testcontainers';
import { breaking, freePort } from '../../../tools/test/breaking.mjs';
import { IMAGES } from '../../../tools/test/engine.mjs';
import type { History } from './history.js';
import { redisHistory } from './history.redis.js';
import { nonces, type Nonces } from './nonces.js';
import type { ProofReplay } from './proof-replay.js';
import { redisProofReplay } from './proof-replay.redis.js';

const principal = principalId('acme', 'a');
const who = { principal, task: 't' };
const BUDGETS = { perTask: 10, perHour: 60 };
let server: StartedTestContainer;
let breaks: Awaited<ReturnType<typeof breaking>>;
let redis: Redis;
let history: History;
let replay: ProofReplay;
let given: Nonces;
let broken = 0;

beforeAll(async () => {
  const port = await freePort();
  server = await new GenericContainer(IMAGES.redis)
    .withCommand(['redis-server', '--save', '', '--appendonly', 'no'])
    .withExposedPorts({ container: 6379, host: port })
    .withWaitStrategy(Wait.forLogMessage('Ready to accept connections'))
    .start();
  breaks = await breaking(server);
  const url = new Secret(`redis://${server.getHost()}:${port}`);
  redis = await openRedis(url, { onBroken: () => (broken += 1), answerMs: 200 });
  const idOf = keyedId(randomBytes(32));
  history = redisHistory({ redis, idOf, now: Date.now });
  replay = redisProofReplay({ redis, service: 'mcp', idOf, now: Date.now });
  given = nonces(randomBytes(32), Date.now, () => redis.runs());
});
afterAll(async () => {
  await redis?.close();
  await server?.stop();
});

const use = async (jti: string) => replay.use('acme', principal, jti, Date.now() + 120_000);
const take = async (customer: string) => history.take('acme', who, { customers: [customer] }, BUDGETS);
const past = async () => history.pastOf('acme', who);
const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'it passed',
    (error: { code?: unknown }) => error.code,
  );
const refusals = () => Promise.all([use('x'), take('C'), past()].map(codeOf));
const REFUSED = ['overloaded', 'overloaded', 'overloaded'];
/** Waits for what happens by itself. */
const until = async (holds: () => Promise<boolean>): Promise<void> => {
  for (let tries = 0; !(await holds()); tries++) {
    if (tries > 1_000) throw new Error('it did not come');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

it('everything passes while Redis is there', async () => {
  expect([await use('before'), await take('C1')]).toEqual(['first', 'taken']);
  expect(broken).toBe(0);
});

it('while Redis is paused everything is refused, and afterwards what it kept is still there', async () => {
  const nonce = given.current();
  await breaks.pause();
  expect(await refusals()).toEqual(REFUSED);
  await breaks.unpause();
  await until(async () => (await codeOf(past())) === 'it passed');
  expect(await use('before')).toBe('again');
  expect(given.ageOf(nonce)).toBeDefined();
});

it('while Redis is dead everything is refused at once, and nobody has to do anything when it is back', async () => {
  const nonce = given.current();
  const dead = broken;
  await breaks.kill();
  await until(async () => broken > dead);
  for (let n = 0; n < 50; n++) expect(await refusals()).toEqual(REFUSED);
  await breaks.startAgain();
  await until(async () => (await codeOf(past())) === 'it passed');
  await until(async () => given.ageOf(nonce) === undefined);
  expect([await use('after'), await take('C2')]).toEqual(['first', 'taken']);
  expect(await use('after')).toBe('again');
});

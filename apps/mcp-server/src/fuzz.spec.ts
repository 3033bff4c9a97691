import type { EventDraft } from '@portcullis/audit-schemas/envelope';
import { link, newChain, type EventLog } from '@portcullis/bus/outbox';
import { memoryLimiter } from '@portcullis/limits/limiter.memory';
import { tableOf } from '@portcullis/limits/rules';
import fc from 'fast-check';
import { KeyObject, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { v7 as uuidv7 } from 'uuid';
import { fuzzCases, type FuzzCase } from './fuzz-cases.fixture.js';
import { goodToken, spell, spoiltToken } from './fuzz-tokens.fixture.js';
import { wire, type WireAnswer } from './fuzz-wire.fixture.js';
import { modern, startRig, type Rig } from './rig.fixture.js';
import { TOOLS } from './tools/tools.js';

/** `npm run attack -- fuzz` asks for more, from another seed. */
const CASES = Number(process.env['FUZZ_CASES'] ?? 20_000);
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_260_728);
const RESULTS = process.env['FUZZ_JSON'];

/** Memory is looked at after so many cases in a hundred, when all that is bounded is full, and at the end. */
const SETTLED_AT = 0.1;
/** bytes; less than one event or record kept of every case would come to */
const GROWTH_PER_CASE = 100;
const GROWTH_NOISE = 4 * 1024 * 1024;
const GOOD_TOKENS = 300;
const SPOILT_TOKENS = 1_500;
const ADDRESSES = 3_000;
/** What an answer never holds unless it was sent: our stack, our paths, the words of what we are built of. */
const INTERNAL =
  /^\s*at |<html|node_modules|\.[tj]s:\d|postgres|pglite|kysely|typeerror|rangeerror|syntaxerror|is not a function|cannot read|undefined is|unexpected token|violates|relation "|invalid byte sequence/im;

/** Calls on record, by correlation id, until they are looked at. */
const recorded = new Map<string, { outcome: string; http: number }[]>();
const seen = { outcomes: {} as Record<string, number>, statuses: {} as Record<string, number>, done: 0 };
const memory: number[] = [];
const crashes: unknown[] = [];
const crashed = (error: unknown): void => void crashes.push(error);
/** What every object has. */
const inherited = () =>
  [Object, Array, Function, String].flatMap((each) => Reflect.ownKeys(each.prototype as object).map(String));
const before = inherited();
let rig: Rig;
let tokens: string[];

function recordingLog(): EventLog {
  let head = newChain('mcp-server', uuidv7());
  let spooled = 0;
  return {
    async append(draft: EventDraft) {
      const next = link(head, draft, uuidv7());
      head = next.head;
      spooled += 1;
      const { event } = next;
      if (event.type === 'portcullis.call.v1' && event.data.outcome !== 'attempted') {
        const { correlationId, outcome, http } = event.data;
        recorded.set(correlationId, [...(recorded.get(correlationId) ?? []), { outcome, http }]);
      }
      return event;
    },
    close: async () => {},
    stats: () => ({ spooled, pending: 0, lost: 0 }),
  };
}

beforeAll(async () => {
  process.on('unhandledRejection', crashed).on('uncaughtException', crashed);
  // what limits refuse is never looked at: so they are out of reach
  const outOfReach = tableOf(new Map(), { perMinute: 1e9, arrivalsPerMinute: 1e9, llmTokensPerHour: 1e12 });
  outOfReach.rules = outOfReach.rules.filter(({ type }) => type !== 'tool_requests');
  const limiter = memoryLimiter({ now: Date.now, random: randomBytes, table: () => outOfReach });
  rig = await startRig({ TRUSTED_PROXIES: '127.0.0.1' }, { events: recordingLog(), limiter });
  tokens = await makeTokens();
});
afterAll(async () => {
  await rig.close();
  process.off('unhandledRejection', crashed).off('uncaughtException', crashed);
});

async function makeTokens(): Promise<string[]> {
  const good = await Promise.all(
    fc
      .sample(goodToken, { seed: SEED, numRuns: GOOD_TOKENS })
      .map(async (words) =>
        rig.token({ ...words, claims: { exp: Math.floor(Date.now() / 1000) + 86_400, ...words.claims } }),
      ),
  );
  const claims = JSON.parse(Buffer.from(good[0]!.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>;
  const key = KeyObject.from(rig.issuer.privateKey);
  const spoilt = fc.sample(spoiltToken, { seed: SEED, numRuns: SPOILT_TOKENS }).map((one) => spell(one, claims, key));
  // six of seven calls come in, so that what lies behind the doors is looked at
  return [...Array.from({ length: 30 }, () => good).flat(), ...spoilt].map((token) => `Bearer ${token}`);
}

/** Checks what holds for every answer. */
function check({ body, headers, query }: FuzzCase, answer: WireAnswer, credentials: string): void {
  const { status, text } = answer;
  const correlationId = answer.headers['x-correlation-id'] ?? '';
  const events = recorded.get(correlationId);
  recorded.delete(correlationId);
  expect({ correlationId, events }).toEqual({ correlationId, events: [expect.objectContaining({ http: status })] });
  const { outcome } = events![0]!;
  seen.outcomes[outcome] = (seen.outcomes[outcome] ?? 0) + 1;
  seen.statuses[status] = (seen.statuses[status] ?? 0) + 1;

  if (status >= 500) expect([status, outcome]).toEqual([503, 'overloaded']);
  expect(['internal', 'tool_failed']).not.toContain(outcome);
  if (INTERNAL.test(text)) {
    const sent = `${body.toString()} ${JSON.stringify(headers)} ${query} ${credentials}`;
    expect(sent).toMatch(new RegExp(INTERNAL.exec(text)![0].replace(/\W/g, '\\$&'), 'i'));
  }
  if (text === '') return;
  const said = JSON.parse(text) as { jsonrpc?: unknown; id?: unknown; result?: unknown; error?: unknown };
  expect(said.jsonrpc).toBe('2.0');
  expect([said.result, said.error].filter((one) => one !== undefined)).toHaveLength(1);
  const id = idOf(body);
  expect(said.result === undefined ? [null, id] : [id]).toContainEqual(said.id);
}

/** The id that a reader of the body finds. */
function idOf(body: Buffer): unknown {
  try {
    const { id } = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as { id?: unknown };
    // -0 is written as 0
    return id === undefined ? null : id === 0 ? 0 : id;
  } catch {
    return null;
  }
}

async function eventsOf(answer: WireAnswer): Promise<void> {
  // a stream is on record when it has ended, and it ends when it is left
  const correlationId = answer.headers['x-correlation-id'] ?? '';
  while (answer.stream && !recorded.has(correlationId)) await new Promise((resolve) => setTimeout(resolve, 1));
}

function heapAfterGc(): number {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  gc();
  gc();
  return process.memoryUsage().heapUsed;
}

it(`${CASES} requests with anything in them are each answered and recorded once, and nothing breaks`, async () => {
  const connection = wire(rig.mcp);
  const settled = Math.max(1, Math.floor(CASES * SETTLED_AT));
  const attack = fc.asyncProperty(fuzzCases([...TOOLS.values()], tokens.length), async (one) => {
    const { credentials: which, ...request } = one;
    const credentials = typeof which === 'number' ? tokens[which]! : (which ?? '');
    const from = seen.done % ADDRESSES;
    const headers = [
      ...(which === undefined ? [] : [['authorization', credentials] as const]),
      ...request.headers,
      ['x-forwarded-for', `10.0.${from >> 8}.${from & 255}`] as const,
    ];
    const answer = await connection.send({ ...request, headers });
    await eventsOf(answer);
    check(one, answer, credentials);
    seen.done += 1;
    if (seen.done === settled) memory.push(heapAfterGc());
  });
  try {
    await fc.assert(attack, { numRuns: CASES, seed: SEED });
  } finally {
    connection.close();
    memory.push(heapAfterGc());
    const result = { cases: CASES, seed: SEED, ...seen, heapBytes: memory, crashes: crashes.map(String) };
    if (RESULTS !== undefined) writeFileSync(RESULTS, `${JSON.stringify(result, null, 2)}\n`);
  }
}, 43_200_000);

it('20,000 cases were answered, where no other number was asked for', () => {
  expect(seen.done).toBe(Number(process.env['FUZZ_CASES'] ?? '20000'));
});

it('nothing crashed, no event is left over, no prototype has changed, and the server still answers', async () => {
  expect(crashes).toEqual([]);
  expect([...recorded]).toEqual([]);
  expect(inherited()).toEqual(before);
  const good = await rig.post(modern('tools/list'));
  expect(good.status).toBe(200);
});

it('memory did not grow', () => {
  const [settled = NaN, end = NaN] = memory;
  expect(end - settled).toBeLessThan(GROWTH_NOISE + GROWTH_PER_CASE * CASES * (1 - SETTLED_AT));
});

it('the cases reach behind both doors', () => {
  const kinds = ['allowed', 'input_invalid', 'json_malformed', 'header_mismatch', 'params_invalid', 'token_invalid'];
  expect(Object.keys(seen.outcomes)).toEqual(expect.arrayContaining(kinds));
  expect(seen.outcomes['allowed']).toBeGreaterThan(CASES / 20);
});

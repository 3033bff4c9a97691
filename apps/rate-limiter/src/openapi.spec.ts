import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { openApi } from './openapi.js';
import { startIssuer, startService, type Issuer } from './service.fixture.js';

const file = JSON.parse(readFileSync(join(import.meta.dirname, '../openapi.json'), 'utf8'));

let issuer: Issuer;
let service: Awaited<ReturnType<typeof startService>>;
beforeAll(async () => {
  issuer = await startIssuer();
  service = await startService(issuer);
});
afterAll(async () => {
  await service.close();
  await issuer.close();
});

/** Whether a value is what the file's schema of an operation's answer says, with nothing beside it that is not said. */
function expectAnswer(path: string, method: 'get' | 'post', status: number, value: unknown): void {
  const { schema } = file.paths[path][method].responses[status].content['application/json'];
  const { $ref } = schema;
  const found = file.components.schemas[$ref.split('/').at(-1)];
  expect(z.fromJSONSchema(found).safeParse(value)).toMatchObject({ success: true });
}

test('the file is what the schemas say: node tools/docs/openapi.mjs writes it anew', () => {
  expect(JSON.parse(JSON.stringify(openApi()))).toEqual(file);
});

test('it is served to whoever asks', async () => {
  expect(await service.send('/openapi.json', {})).toMatchObject({ status: 200, body: file });
});

test('every path in it is served, and needs a token', async () => {
  for (const [path, methods] of Object.entries(file.paths)) {
    for (const method of Object.keys(methods as object)) {
      const answer = await service.send(path, { method: method.toUpperCase() });
      expect(answer.status).toBe(401);
      expectAnswer(path, method as 'get' | 'post', 401, answer.body);
    }
  }
});

test('both verdicts are what it says', async () => {
  const question = { principal: 'agt_one', tool: 'create_support_ticket', llmTokens: 1 };
  const verdicts = [];
  for (let i = 0; i < 21; i++) verdicts.push((await service.post('/v1/decide', question)).body);
  for (const principal of ['agt_two', 'agt_three']) {
    verdicts.push((await service.post('/v1/decide', { principal, llmTokens: 1_000_000 })).body);
    verdicts.push((await service.post('/v1/decide', { principal, stage: 'arrival' })).body);
  }
  expect(new Set(verdicts.map(({ allowed }) => allowed))).toEqual(new Set([true, false]));
  for (const verdict of verdicts) expectAnswer('/v1/decide', 'post', 200, verdict);
  const { lease } = verdicts[0];
  expectAnswer('/v1/settle', 'post', 200, (await service.post('/v1/settle', { lease, llmTokens: 1 })).body);
  expectAnswer('/v1/release', 'post', 200, (await service.post('/v1/release', { lease })).body);
});

test('the rules are, and so is what is wrong with a body', async () => {
  const headers = { authorization: `Bearer ${await service.token()}` };
  expectAnswer('/v1/rules', 'get', 200, (await service.send('/v1/rules', { headers })).body);
  const wrong = await service.post('/v1/decide', { principal: '', more: 1 });
  expect(wrong.status).toBe(400);
  expectAnswer('/v1/decide', 'post', 400, wrong.body);
});

test('what is no answer is not taken for one', () => {
  for (const value of [{}, { allowed: true }, { allowed: 'yes', lease: '', remaining: 1 }, { allowed: false }]) {
    expect(() => expectAnswer('/v1/decide', 'post', 200, value)).toThrow();
  }
});

test('every field of a question, a verdict and a settlement is explained', () => {
  for (const name of ['Question', 'Verdict', 'Settlement', 'Settled', 'Release', 'Released']) {
    const { properties, oneOf, anyOf } = file.components.schemas[name];
    const fields = [properties, ...(oneOf ?? anyOf ?? []).map((each: any) => each.properties)].filter(Boolean);
    expect(fields.length).toBeGreaterThan(0);
    for (const [field, schema] of fields.flatMap((each) => Object.entries<any>(each))) {
      expect(`${field}: ${schema.description}`).toMatch(/: .{5,}/);
      expect(schema.description).toBeDefined();
    }
  }
});

import { randomBytes } from 'node:crypto';
import { startRig, type Rig } from './rig.fixture.js';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
}, 60_000);
afterAll(() => rig?.close());

const LETTERS = 'abcdefghijklmnopqrstuvwxyz234567';
const madeUp = () => `apr_${[...randomBytes(26)].map((byte) => LETTERS[byte & 31]).join('')}`;

test('a stranger who keeps asking for approvals that are not there is stopped before the database is asked', async () => {
  const { origin } = new URL(rig.mcp);
  const ask = async () => (await fetch(`${origin}/approvals/${madeUp()}`)).status;
  const all = await Promise.all(Array.from({ length: 100 }, ask));
  expect(all.filter((status) => status === 404)).toHaveLength(60);
  const refused = await fetch(`${origin}/approvals/${madeUp()}`);
  expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([429, true]);
  expect(await refused.text()).toContain('Too many requests');
});

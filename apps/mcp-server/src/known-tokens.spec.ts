import { call, startRig, type Answered, type Rig } from './rig.fixture.js';

let rig: Rig;
const MINUTE = 60_000;
beforeEach(async () => {
  rig = await startRig();
}, 60_000);
afterEach(() => rig.close());

/** Calls a tool with a token as it is, again and again. */
const send = (token: string): Promise<Answered> => {
  const { headers, body } = call('get_customer_info', { customer_id: '12345' });
  const more = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  return rig.raw({ method: 'POST', headers: { ...headers, ...more }, body: JSON.stringify(body) });
};
const codeOf = ({ status, json }: Answered) => [status, json?.error?.data.code ?? json?.result?.isError ?? 'allowed'];

describe('a token that has just been taken', () => {
  it('is refused as soon as it is revoked', async () => {
    const token = await rig.token({ claims: { jti: 'known-token' } });
    expect(codeOf(await send(token))).toEqual([200, 'allowed']);
    const [at, until] = [new Date(), new Date(Date.now() + 15 * MINUTE)].map((date) => date.toISOString());
    const body = { tenant: 'default', what: 'token', id: 'known-token', at, until };
    await rig.tell('portcullis.revocations', 'default/token/known-token', body);
    expect(codeOf(await send(token))).toEqual([401, 'token_invalid']);
  });

  it('is refused while its agent is contained, and good again when it is released', async () => {
    const token = await rig.token({ client: 'held' });
    expect(codeOf(await send(token))).toEqual([200, 'allowed']);
    await rig.say('Isolated', 'held');
    expect(codeOf(await send(token))).toEqual([403, 'quarantined']);
    await rig.say('Normal', 'held');
    expect(codeOf(await send(token))).toEqual([200, 'allowed']);
  });

  it('is refused 30 s after its expiry', async () => {
    const token = await rig.token({ claims: { exp: Math.floor(Date.now() / 1000) + 120 } });
    expect(codeOf(await send(token))).toEqual([200, 'allowed']);
    rig.skip(120_000);
    expect(codeOf(await send(token))).toEqual([200, 'allowed']);
    rig.skip(31_000);
    expect(codeOf(await send(token))).toEqual([401, 'token_invalid']);
  });

  it('is refused within ten minutes after its key was withdrawn, though nobody asks for a key meanwhile', async () => {
    const token = await rig.token();
    expect(codeOf(await send(token))).toEqual([200, 'allowed']);
    rig.issuer.jwk.kid = 'another-key';
    rig.skip(3 * MINUTE);
    expect(codeOf(await send(token))).toEqual([200, 'allowed']);
    rig.skip(7 * MINUTE + 1);
    expect(codeOf(await send(token))).toEqual([401, 'token_invalid']);
  });

  it('stays good while the issuer is away', async () => {
    const token = await rig.token();
    await send(token);
    rig.issuer.setAway(true);
    rig.skip(11 * MINUTE);
    expect(codeOf(await send(token))).toEqual([200, 'allowed']);
  });

  it('passes a flood of bad ones from its own address, each of which is on record; a new one waits for a minute', async () => {
    const [known, late] = [await rig.token(), await rig.token({ client: 'late' })];
    await send(known);
    const before = rig.events.calls().length;
    const bad = await Promise.all(
      Array.from({ length: 100 }, () => rig.token({ claims: { aud: 'https://other.example' } })),
    );
    const answers = await Promise.all(bad.map(send));
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(60);
    const shutOut = answers.filter(({ status }) => status === 429);
    expect(shutOut).toHaveLength(40);
    for (const { json, headers } of shutOut) {
      expect(json.error).toMatchObject({
        code: 42900,
        data: { code: 'rate_limited', limitType: 'failures', remaining: 0 },
      });
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(66);
      expect(headers.get('www-authenticate')).toBeNull();
    }
    const events = rig.events.calls().slice(before);
    expect(events.map(({ outcome }) => outcome).sort()).toEqual([
      ...Array.from({ length: 40 }, () => 'rate_limited'),
      ...Array.from({ length: 60 }, () => 'token_invalid'),
    ]);
    expect(codeOf(await send(late))).toEqual([429, 'rate_limited']);
    expect(codeOf(await send(known))).toEqual([200, 'allowed']);
    rig.skip(MINUTE);
    expect(codeOf(await send(late))).toEqual([200, 'allowed']);
  });
});

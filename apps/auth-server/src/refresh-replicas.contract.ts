import { decodeJwt } from 'jose';
import { sql } from 'kysely';
import { exchange, grantAs } from './flow.fixture.js';
import { postToken, type Gate, type TokenReply } from './gate.fixture.js';
import { ageRefreshToken } from './refresh-tokens.fixture.js';
import { REPLAY_WINDOW_MS } from './refresh-rotation.js';

/** How replicas of one issuer on one database refresh as one. */
export function refreshReplicasContract(open: () => readonly [Gate, Gate]): void {
  const signedIn = async (): Promise<TokenReply> => {
    const [gate] = open();
    const { code, verifier } = await grantAs(gate, gate.demo.users[0]!, { scope: 'customer:read' });
    return exchange(gate, code ?? '', verifier);
  };
  const tokenOf = (reply: TokenReply): string => String(reply.body.refresh_token);
  const refresh = (gate: Gate, token: string) =>
    postToken(gate, { grant_type: 'refresh_token', client_id: 'desktop', refresh_token: token });
  const familyOf = async (reply: TokenReply) => {
    const grantId = decodeJwt<{ grant_id: string }>(String(reply.body.access_token)).grant_id;
    const { rows } = await sql<{ tokens: number; used: number }>`
      select count(*)::int as tokens, count(used_at)::int as used from auth.refresh_tokens where grant_id = ${grantId}`.execute(
      open()[0].database.everyTenant<object>('auth'),
    );
    return rows[0];
  };

  test('of fifty who refresh at once all succeed, with one successor, and one family lives on', async () => {
    const gates = open();
    const first = await signedIn();
    const replies = await Promise.all(
      Array.from({ length: 50 }, (_, n) => refresh(gates[n % 2 ? 1 : 0], tokenOf(first))),
    );
    expect(replies.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200));
    expect(new Set(replies.map(tokenOf)).size).toBe(1);
    const ids = replies.map((reply) => decodeJwt(String(reply.body.access_token)).jti);
    expect(new Set(ids).size).toBe(50);
    expect(await familyOf(first)).toEqual({ tokens: 2, used: 1 });
    expect(await refresh(gates[1], tokenOf(replies[0]!))).toMatchObject({ status: 200 });
    expect(await familyOf(first)).toEqual({ tokens: 3, used: 2 });
  }, 60_000);

  test('a token that one replica has exchanged comes back late at the other, and both have done with the family', async () => {
    const [left, right] = open();
    const first = await signedIn();
    const second = await refresh(left, tokenOf(first));
    await ageRefreshToken(left.database, tokenOf(first), REPLAY_WINDOW_MS);
    expect(await refresh(right, tokenOf(first))).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    for (const gate of [left, right]) expect(await refresh(gate, tokenOf(second))).toMatchObject({ status: 400 });
  }, 60_000);

  test('a code that is redeemed at both replicas at once gives nothing that lives', async () => {
    const [left, right] = open();
    const { code = '', verifier } = await grantAs(left, left.demo.users[0]!, { scope: 'customer:read' });
    const replies = await Promise.all([left, right, left, right].map((gate) => exchange(gate, code, verifier)));
    const given = replies.filter(({ status }) => status === 200);
    expect(given.length).toBeLessThanOrEqual(1);
    for (const reply of given) expect(await refresh(right, tokenOf(reply))).toMatchObject({ status: 400 });
  }, 60_000);
}

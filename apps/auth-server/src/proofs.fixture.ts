import { proofBy, proofKey, type ProofKey, type ProofWords } from '@portcullis/guard/proof.fixture';
import { postToken, secretOf, type Gate } from './gate.fixture.js';

/** A nonce of the token endpoint, as a client gets one: from the refusal of a proof without. */
export async function tokenNonce(gate: Gate): Promise<string> {
  const dpop = await proofBy(await proofKey(), { htu: `${gate.issuer}/token` });
  const reply = await postToken(
    gate,
    { grant_type: 'client_credentials' },
    { ...secretOf(gate.demo, 'support-agent'), dpop },
  );
  return reply.headers.get('dpop-nonce') ?? '';
}

/** The header of a good proof for /token, but for the words. */
export async function proven(
  gate: Gate,
  key?: ProofKey,
  words: Partial<ProofWords> = {},
): Promise<{ readonly dpop: string }> {
  const nonce = await tokenNonce(gate);
  return { dpop: await proofBy(key ?? (await proofKey()), { htu: `${gate.issuer}/token`, nonce, ...words }) };
}

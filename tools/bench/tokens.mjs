// Client-credentials tokens a second: auth-server beside a bare oidc-provider on its memory adapter, in turns.
import { createPrivateKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { median, startPeer } from './peer.mjs';
import { postgresForBench } from './postgres.mjs';

const CONNECTIONS = 16;
const FORM = 'grant_type=client_credentials&scope=customer%3Aread';

/** Share of the bare provider's tokens a second that each must reach; without a bar the figure is printed only. */
const BARS = { 'auth-server, PGlite': 0.7, 'auth-server, Postgres': 0.6 };

export async function run({ rounds, seconds }) {
  const postgres = await postgresForBench();
  const peers = new Map();
  const results = new Map();
  try {
    peers.set('bare oidc-provider', await startPeer('./tokens/bare.mjs'));
    peers.set('auth-server, PGlite', await startPeer('./tokens/ours.mjs', { DATABASE_URL: 'pglite://memory' }));
    if (postgres.url)
      peers.set('auth-server, Postgres', await startPeer('./tokens/ours.mjs', { DATABASE_URL: postgres.url }));
    const turns = [...peers].map(([name, peer]) => [name, () => peer.load(plain(peer, seconds))]);
    for (const name of Object.keys(BARS)) {
      const peer = peers.get(name);
      if (peer) turns.push([`${name}, DPoP`, async () => peer.load(await bound(peer, seconds))]);
    }
    for (const [, turn] of turns) await turn();
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, turn] of turns) {
        console.error(`round ${round + 1} of ${rounds}: ${name}`);
        results.set(name, [...(results.get(name) ?? []), await turn()]);
      }
    }
  } finally {
    await Promise.all([...peers.values()].map((peer) => peer.stop()));
    await postgres.stop();
  }
  return verdict(results, postgres);
}

function plain({ authorization, resource }, seconds, headers = {}) {
  const body = `${FORM}&resource=${encodeURIComponent(resource)}`;
  const type = 'application/x-www-form-urlencoded';
  const request = { method: 'POST', headers: { authorization, 'content-type': type, ...headers }, body };
  return { seconds, connections: CONNECTIONS, requests: [request] };
}

/** Every request has a proof of its own (RFC 9449 §4.2), with the nonce that the server asks for. */
async function bound(peer, seconds) {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' }));
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const head = part({ typ: 'dpop+jwt', alg: 'ES256', jwk: publicKey.export({ format: 'jwk' }) });
  const proof = (nonce) => {
    const iat = Math.floor(Date.now() / 1000);
    const text = `${head}.${part({ jti: randomUUID(), htm: 'POST', htu: peer.url, iat, nonce })}`;
    return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  };
  const load = plain(peer, seconds);
  const [request] = load.requests;
  const asked = await fetch(peer.url, { ...request, headers: { ...request.headers, dpop: proof() } });
  const nonce = asked.headers.get('dpop-nonce') ?? undefined;
  const setupRequest = (one) => ({ ...one, headers: { ...request.headers, dpop: proof(nonce) } });
  return { ...load, requests: [{ ...request, setupRequest }] };
}

function verdict(results, postgres) {
  // what else the machine does only takes away, so each server is held to its best round
  const best = (found) => found.reduce((a, b) => (b.perSecond > a.perSecond ? b : a));
  const bare = best(results.get('bare oidc-provider')).perSecond;
  const rows = [...results].map(([name, found]) => {
    const { perSecond, p99, cpuMicros } = best(found);
    const ratio = perSecond / bare;
    const wrong = found.reduce((sum, one) => sum + one.wrong, 0);
    const bar = BARS[name];
    return {
      name,
      perSecond: Math.round(perSecond),
      medianPerSecond: Math.round(median(found.map((one) => one.perSecond))),
      ratio: Number(ratio.toFixed(3)),
      p99Ms: p99,
      cpuMicrosPerToken: Math.round(cpuMicros),
      wrong,
      ...(bar !== undefined && { bar }),
      ok: wrong === 0 && (bar === undefined || ratio >= bar),
    };
  });
  console.log('tokens a second, best of the rounds (median):');
  for (const { name, perSecond, medianPerSecond, ratio, p99Ms, cpuMicrosPerToken, wrong, bar, ok } of rows) {
    const held = bar === undefined ? '' : `  bar ${bar}: ${ok ? 'met' : 'MISSED'}`;
    const answers = wrong === 0 ? '' : `  ${wrong} wrong answers`;
    console.log(
      `${name.padEnd(30)}${String(perSecond).padStart(6)}/s (${medianPerSecond})  ${ratio.toFixed(2)} of bare  ` +
        `p99 ${p99Ms} ms  CPU ${cpuMicrosPerToken} µs a token${held}${answers}`,
    );
  }
  if (postgres.skipped) console.log(`skipped: auth-server, Postgres (${postgres.skipped})`);
  const complete = !postgres.skipped || process.env.REQUIRE_ALL !== '1';
  return { bench: 'tokens', rows, skipped: postgres.skipped ?? null, ok: complete && rows.every(({ ok }) => ok) };
}

import type { Artefacts } from './artefacts.js';
import { cookieSigner } from './cookie-keys.js';
import { createProvider, type ProviderParts } from './provider.js';
import { sealedSigners } from './sealed-signers.memory.js';
import { KeyRing } from './key-ring.js';

/** Slow to look and quick to write, so that who looks first and writes later is too late. */
function slowArtefacts(): Artefacts {
  const seen = new Set<string>();
  const later = () => new Promise<undefined>((resolve) => setImmediate(() => resolve(undefined)));
  const put = async ({ idHash }: { idHash: string }) => !seen.has(idHash) && seen.add(idHash) && true;
  return { find: later, put, putOnce: put } as unknown as Artefacts;
}

test("an assertion's id passes once, of many that come at once, and another client's like it passes too", async () => {
  const unused = () => Promise.reject(new Error('nobody asks'));
  const ring = new KeyRing();
  const made = await sealedSigners([new Uint8Array(32)]).make('ES256');
  ring.replace([{ ...made, state: 'active', notBefore: 0, notAfter: undefined }], new Map());
  const provider = createProvider({
    issuer: 'https://auth.example',
    artefacts: slowArtefacts(),
    refreshTokens: {} as ProviderParts['refreshTokens'],
    endGrant: unused,
    newToken: () => 'token',
    clientKeySets: {} as ProviderParts['clientKeySets'],
    ring,
    algorithms: {},
    cookies: cookieSigner([new Uint8Array(32)]),
    nonceKey: new Uint8Array(32),
    uris: {} as ProviderParts['uris'],
    users: {} as ProviderParts['users'],
    secretHashKeys: [],
    renewSecretHash: () => undefined,
    activeClient: unused,
    activeClientNow: unused,
    stateOf: () => 'Normal',
    tokenSeconds: 900,
    log: {} as ProviderParts['log'],
    now: Date.now,
  });
  const use = (iss: string, jti: string) => provider.ReplayDetection.unique(iss, jti, Date.now() / 1000 + 60);
  const all = await Promise.all(Array.from({ length: 10 }, () => use('a', '1')));
  expect(all.filter(Boolean)).toHaveLength(1);
  // issuer and id are kept apart: "a" with "b1" is not "ab" with "1"
  expect([await use('a', 'b1'), await use('ab', '1')]).toEqual([true, true]);
});

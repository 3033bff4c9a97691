import { artefactHash, shelve, unshelve } from './artefacts.js';

const ID = 'kJ8aXb-unguessable-3fQ2';
const back = (kind: string, payload: Parameters<typeof shelve>[2], consumedAt?: number) =>
  unshelve(kind, ID, { payload: shelve(kind, ID, payload, 0).payload, consumedAt });

const interaction = {
  jti: ID,
  kind: 'Interaction',
  returnTo: `https://auth.example/authorize/${ID}`,
  params: { client_id: 'desktop', state: 's\0\ud800' },
  session: { uid: 'session-uid', accountId: 'usr_1', cookie: 'the session cookie' },
};

test('what is kept of an interaction does not hold its id or the session cookie', () => {
  const kept = shelve('Interaction', ID, interaction, 1);
  expect(JSON.stringify(kept)).not.toContain(ID);
  expect(JSON.stringify(kept)).not.toContain('the session cookie');
  expect(kept.idHash).toBe(artefactHash(ID));
});

test('whoever knows the id gets the interaction back, less the cookie that nobody reads', () => {
  const { cookie: _cookie, ...session } = interaction.session;
  expect(back('Interaction', interaction)).toEqual({ ...interaction, session });
});

test('text that looks like a way back stays what it is', () => {
  const state = { ...interaction, params: { state: `x/authorize/`, redirect_uri: 'https://auth.example/authorize/' } };
  expect(back('Interaction', state).params).toEqual(state.params);
});

test('a code comes back as it was, with when it was used', () => {
  const code = {
    jti: ID,
    kind: 'AuthorizationCode',
    clientId: 'c',
    accountId: 'usr_1',
    grantId: 'g',
    codeChallenge: 'x',
  };
  expect(back('AuthorizationCode', code)).toEqual(code);
  expect(back('AuthorizationCode', code, 61_999)).toEqual({ ...code, consumed: 61 });
  expect(shelve('AuthorizationCode', ID, code, 5)).toMatchObject({
    grantId: 'g',
    clientId: 'c',
    accountId: 'usr_1',
    expiresAt: 5,
  });
});

test('a session can be found by its uid, other things cannot', () => {
  expect(shelve('Session', ID, { jti: ID, uid: 'u' }, 1).sessionUid).toBe('u');
  expect(shelve('Grant', ID, { jti: ID, uid: 'u' }, 1).sessionUid).toBeUndefined();
});

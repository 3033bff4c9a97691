import { decodeJwt } from 'jose';
import { exchange, grantAs } from './flow.fixture.js';
import { startGate, world, type Gate } from './gate.fixture.js';

let gate: Gate;
beforeAll(async () => {
  gate = await startGate(await world());
}, 30_000);
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});

test('x', async () => {
  const sam = gate.demo.users[0]!;
  const r = await grantAs(gate, sam);
  console.log(
    r.status,
    r.sentTo?.href,
    r.pages.length,
    r.pages[0],
    r.pages[1],
    gate.lines.filter((l) => !l.startsWith('debug')).join('\n'),
  );
  const t = await exchange(gate, r.code!, r.verifier);
  console.log(
    t.status,
    t.text,
    decodeJwt(String(t.body.access_token)),
    gate.events.seen.map((e) => JSON.stringify(e.data)),
  );
  const o = await grantAs(gate, sam, { scope: 'openid profile' }, r.browser);
  console.log(o.status, o.sentTo?.href, o.pages.length, o.html);
  const t2 = await exchange(gate, o.code!, o.verifier);
  console.log(t2.status, t2.text, decodeJwt(String(t2.body.id_token)));
  const ui = await fetch(gate.issuer + '/userinfo', { headers: { authorization: 'Bearer ' + t2.body.access_token } });
  console.log(ui.status, await ui.text());
});

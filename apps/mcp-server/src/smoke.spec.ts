import { call, legacy, modern, startRig, type Rig } from './test/rig.http.js';
let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());
it('smokes', async () => {
  const all = { scope: 'customer:read ticket:read account:calculate customer:list' };
  for (const m of [
    call('get_customer_info', { customer_id: '12345' }),
    call('get_customer_info', { customer_id: '99999' }),
    call('calculate_account_value', { purchases: [150, 300, 89] }),
    modern('tools/list'),
    modern('server/discover'),
    modern('resources/read', { uri: 'customer://12345' }),
    legacy('ping'),
    legacy('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'x', version: '1' } }),
    legacy('tools/list'),
    modern('nope'),
    legacy('nope'),
    modern('resources/templates/list'),
  ]) {
    const r = await rig.post(m, all);
    console.log(
      JSON.stringify(m.body).slice(0, 100),
      r.status,
      r.text.slice(0, 1500),
      JSON.stringify(rig.events.lastCall()),
    );
  }
});

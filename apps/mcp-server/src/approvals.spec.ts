import { DELETE, person, refusalIn, samsAgent, saysIn, withApproval } from './approvals.fixture.js';
import { call, legacy, startRig, type Rig } from './rig.fixture.js';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
}, 60_000);
afterAll(() => rig?.close());

const approvalEvents = () =>
  rig.events.all.flatMap((event) => (event.type === 'portcullis.approval.v1' ? [event.data] : []));
const remove = (customer_id: string) => call('delete_customer', { customer_id });
const LETTER = { customer_ids: ['12345'], subject: 'News', body: 'There are some.' };
const isThere = async (customer_id: string): Promise<boolean> =>
  (await rig.post(call('get_customer_info', { customer_id }), { client: `reader-of-${customer_id}` })).json.result
    .isError !== true;

/** An agent of its own, so that its limits, its task and its open approvals are nobody else's. */
let agents = 0;
const newAgent = () => {
  const words = samsAgent(rig, { client: `desktop-${++agents}` });
  const asked = async (message = call('delete_customer', DELETE)) => {
    const facts = refusalIn(await rig.post(message, words));
    expect(facts).toMatchObject({ code: 'approval_needed' });
    return facts as { approvalUrl: string; approval: string };
  };
  return { words, asked };
};

test('a call that destroys is asked for first, in words for models and in facts for programs', async () => {
  const { words } = newAgent();
  const answered = await rig.post(remove('ABC123'), words);
  const { approval, approvalUrl, ...facts } = refusalIn(answered);
  expect(facts).toEqual({ code: 'approval_needed', correlationId: expect.any(String) });
  expect(approval).toMatch(/^apr_[a-z2-7]{26}$/);
  expect(approvalUrl).toBe(`${rig.url}/approvals/${String(approval)}`);
  expect(saysIn(answered)).toContain(`Approval URL: ${String(approvalUrl)}`);
  expect(saysIn(answered)).toContain(`_meta["portcullis/approval"] = "${String(approval)}"`);
  expect(answered.json.result.isError).toBe(true);
  expect(rig.events.lastCall()).toMatchObject({ outcome: 'approval_needed', denial: false, approval });
  expect(approvalEvents().at(-1)).toEqual({
    action: 'approval.asked',
    approval,
    tool: 'delete_customer',
    clientId: words.client,
    sub: 'sam',
    task: 'task-1',
    argumentsDigest: rig.events.lastCall().argumentsDigest,
  });
  expect(await isThere('ABC123')).toBe(true);
  expect(refusalIn(await rig.post(remove('ABC123'), words))).toMatchObject({ approval, approvalUrl });
});

test('approved by another person it is executed, once', async () => {
  const { words, asked } = newAgent();
  const { approval, approvalUrl } = await asked(remove('67890'));
  const page = await person(rig, 'rita').decide(approvalUrl);
  expect(page.html).toContain('It is approved');
  expect(refusalIn(await rig.post(remove('67890'), words)).approval).toBe(approval);

  const repeated = withApproval(approval, 'delete_customer', { customer_id: '67890' });
  const done = await rig.post(repeated, words);
  expect(done.json.result.structuredContent).toEqual({ customer_id: '67890', deleted: true });
  expect(rig.events.lastCall()).toMatchObject({ outcome: 'allowed', approval });
  expect(approvalEvents().slice(-2)).toMatchObject([
    { action: 'approval.given', approval, actor: 'rita', sub: 'sam' },
    { action: 'approval.spent', approval, sub: 'sam' },
  ]);

  expect(saysIn(await rig.post(repeated, words))).toContain('used already');
  expect(rig.events.lastCall()).toMatchObject({ outcome: 'approval_needed', denial: true });
});

test('of many repetitions at once one is executed', async () => {
  const { words, asked } = newAgent();
  const { approval, approvalUrl } = await asked(remove('XYZ789'));
  await person(rig, 'rita').decide(approvalUrl);
  const repeated = withApproval(approval, 'delete_customer', { customer_id: 'XYZ789' });
  const all = await Promise.all(Array.from({ length: 5 }, () => rig.post(repeated, words)));
  expect(all.filter(({ json }) => json.result.structuredContent?.deleted === true)).toHaveLength(1);
});

test('the approval URL is as good as the id, and older revisions carry it the same way', async () => {
  const { words } = newAgent();
  const params = { name: 'delete_customer', arguments: { customer_id: 'QRS456' } };
  for (const revision of ['2025-11-25', '2025-06-18', '2025-03-26']) {
    const facts = refusalIn(await rig.post(legacy('tools/call', params, revision), words));
    expect(facts).toMatchObject({ code: 'approval_needed', approvalUrl: expect.stringContaining('/approvals/apr_') });
  }
  const { approvalUrl } = refusalIn(await rig.post(legacy('tools/call', params), words));
  await person(rig, 'rita').decide(String(approvalUrl));
  const _meta = { 'portcullis/approval': approvalUrl };
  const done = await rig.post(legacy('tools/call', { ...params, _meta }), words);
  expect(done.json.result.structuredContent).toEqual({ customer_id: 'QRS456', deleted: true });
});

test('mail to many needs two different people, and says how many there were', async () => {
  const { words, asked } = newAgent();
  const { approval, approvalUrl } = await asked(call('send_bulk_email', LETTER));
  const repeated = withApproval(approval, 'send_bulk_email', LETTER);
  const rita = person(rig, 'rita');
  expect((await rita.decide(approvalUrl)).html).toContain('1 of 2');
  expect((await rita.open(approvalUrl)).html).not.toContain('<form');
  const waiting = await rig.post(repeated, words);
  expect(saysIn(waiting)).toContain('Approved by 1 of 2');
  expect(rig.events.lastCall().denial).toBe(false);
  await person(rig, 'ron').decide(approvalUrl);
  expect((await rig.post(repeated, words)).json.result.structuredContent).toMatchObject({ queued: 1 });
});

test('mail that people approved does not go to addresses that were changed after they were asked', async () => {
  const { words, asked } = newAgent();
  const { approval, approvalUrl } = await asked(call('send_bulk_email', LETTER));
  for (const who of ['rita', 'ron']) await person(rig, who).decide(approvalUrl);
  const writer = { client: 'a-second-client', scope: 'customer:write' };
  const moved = await rig.post(call('update_customer', { customer_id: '12345', email: 'mine@example.net' }), writer);
  expect(moved.json.result.isError).toBeUndefined();
  const before = await rig.rows();

  const sent = await rig.post(withApproval(approval, 'send_bulk_email', LETTER), words);
  expect(refusalIn(sent)).toMatchObject({ code: 'approval_needed' });
  expect(saysIn(sent)).toContain('was changed after approval of this mail was asked for');
  expect(rig.events.lastCall()).toMatchObject({ outcome: 'approval_needed', denial: false, approval });
  expect(await rig.rows()).toEqual(before);
  expect(refusalIn(await rig.post(withApproval(approval, 'send_bulk_email', LETTER), words))).not.toHaveProperty(
    'approvalUrl',
  );

  rig.skip(1);
  const again = await asked(call('send_bulk_email', LETTER));
  expect(again.approval).not.toBe(approval);
  for (const who of ['rita', 'ron']) await person(rig, who).decide(again.approvalUrl);
  const done = await rig.post(withApproval(again.approval, 'send_bulk_email', LETTER), words);
  expect(done.json.result.structuredContent).toMatchObject({ queued: 1 });
});

test('nobody approves a call that is made in their own name', async () => {
  const { words, asked } = newAgent();
  const { approval, approvalUrl } = await asked();
  const sam = person(rig, 'sam');
  const page = await sam.open(approvalUrl);
  expect(page.html).toContain('somebody else has to decide');
  expect(page.html).not.toContain('<form');
  const other = await asked(remove('99999'));
  const ritas = await person(rig, 'rita').open(other.approvalUrl);
  expect(ritas.html).toContain('<form');
  // with a form that the page did not show them, too: the token is of their own session for this very call
  const { token } = await forgedForm(sam, approvalUrl);
  const said = await sam.request(approvalUrl, {
    method: 'POST',
    body: new URLSearchParams({ form_token: token, decision: 'approve' }),
  });
  expect(said.status).toBe(403);
  expect(saysIn(await rig.post(withApproval(approval), words))).toContain('Approved by 0 of 1');
});

/** The form that a page would hold for somebody who may decide. */
async function forgedForm(who: ReturnType<typeof person>, approvalUrl: string): Promise<{ token: string }> {
  const { sealedCookies } = await import('./approvals/sealed.js');
  const { decodeJwt } = await import('jose');
  const cookies = sealedCookies(rig.stateKeys, () => new Uint8Array(12));
  const { token } = cookies.open('session', who.jar.get('portcullis_approvals_session')) as { token: string };
  return { token: cookies.formToken(`${String(decodeJwt(token).jti)} ${approvalUrl.split('/').at(-1)!}`) };
}

test('what a person approved who was shut out since is not executed', async () => {
  const { words, asked } = newAgent();
  const { approval, approvalUrl } = await asked(remove('12345'));
  await person(rig, 'mallory').decide(approvalUrl);
  const [at, until] = [0, 3_600_000].map((ms) => new Date(rig.now() + ms).toISOString());
  const body = { tenant: 'default', what: 'user', id: 'mallory', at, until };
  await rig.tell('portcullis.revocations', 'default/user/mallory', body);
  const spent = await rig.post(withApproval(approval, 'delete_customer', { customer_id: '12345' }), words);
  expect(refusalIn(spent)['code']).toBe('approval_needed');
  expect(saysIn(spent)).toContain('was shut out since');
  expect(rig.events.lastCall()).toMatchObject({ outcome: 'approval_needed', denial: false, approval });
  expect(await isThere('12345')).toBe(true);
});

test('what a person refused stays refused, and is not asked again', async () => {
  const { words, asked } = newAgent();
  const { approval, approvalUrl } = await asked();
  expect((await person(rig, 'rita').decide(approvalUrl, 'refuse')).html).toContain('It was refused');
  for (const message of [withApproval(approval), call('delete_customer', DELETE)]) {
    const answered = await rig.post(message, words);
    expect(saysIn(answered)).toContain('A person refused this call');
    expect(refusalIn(answered)).not.toHaveProperty('approvalUrl');
    expect(rig.events.lastCall()).toMatchObject({ outcome: 'approval_needed', denial: false });
  }
});

describe('an approval is good for nothing else', () => {
  const approved = async () => {
    const agent = newAgent();
    const { approval, approvalUrl } = await agent.asked();
    await person(rig, 'rita').decide(approvalUrl);
    return { ...agent, approval };
  };
  test.each([
    ['other arguments', true, 'for another call', { args: { customer_id: '12345' } }],
    ['another principal', true, 'no such approval', { words: { client: 'somebody-else' } }],
    ['another person of the same client', true, 'no such approval', { words: { claims: { sub: 'uma' } } }],
    ['another task', false, 'in another task', { words: { claims: { task: 'task-2' } } }],
    ['no task', false, 'in another task', { words: { claims: { task: undefined } } }],
    ['another tenant', true, 'no such approval', { words: { tenant: 'acme' } }],
  ])('%s: refused (denial: %s)', async (_, denial, says, { args = DELETE, words = {} }: Changed) => {
    const { approval, words: own } = await approved();
    const changed = { ...own, ...words, claims: { ...own.claims, ...words.claims } };
    const answered = await rig.post(withApproval(approval, 'delete_customer', args), changed);
    expect(refusalIn(answered)).toEqual({ code: 'approval_needed', correlationId: expect.any(String) });
    expect(saysIn(answered)).toContain(says);
    expect(rig.events.lastCall()).toMatchObject({ outcome: 'approval_needed', denial });
    expect(await isThere('ABC123')).toBe(true);
  });
  interface Changed {
    args?: unknown;
    words?: { client?: string; tenant?: string; claims?: Record<string, unknown> };
  }

  test('another tool: refused', async () => {
    const { approval, words } = await approved();
    const message = withApproval(approval, 'delete_records', { dataset: 'tickets', ids: ['T-100001'] });
    expect(saysIn(await rig.post(message, words))).toContain('for another call');
  });

  test.each([
    ['an id that nobody got', `apr_${'a'.repeat(26)}`],
    ['a changed id', 'apr_'],
    ['another origin', `https://evil.example/approvals/apr_${'a'.repeat(26)}`],
    ['true', true],
    ['a list', ['apr_']],
    ['null', null],
  ])('%s: refused, and counts against the agent', async (_, given) => {
    const { words } = newAgent();
    expect(saysIn(await rig.post(withApproval(given), words))).toContain('no such approval');
    expect(rig.events.lastCall()).toMatchObject({ outcome: 'approval_needed', denial: true });
  });
});

test('five calls of one agent wait at a time, and the next one is told when to come again', async () => {
  const { words, asked } = newAgent();
  for (const n of [1, 2, 3, 4, 5]) await asked(remove(`AAAA${n}`));
  const answered = await rig.post(remove('AAAA6'), words);
  expect(refusalIn(answered)).toMatchObject({ code: 'approval_needed', limitType: 'approvals', remaining: 0 });
  expect(refusalIn(answered).retryAfterMs).toBeGreaterThan(590_000);
  expect(refusalIn(answered)).not.toHaveProperty('approvalUrl');
});

test('what cannot be put on record is neither asked, decided nor executed', async () => {
  const { words, asked } = newAgent();
  rig.events.setFull(true);
  expect((await rig.post(remove('12345'), words)).status).toBe(503);
  rig.events.setFull(false);
  const { approval, approvalUrl } = await asked(remove('12345'));
  const rita = person(rig, 'rita');
  const page = await rita.open(approvalUrl);
  rig.events.setFull(true);
  const failed = await rita.submit(page, approvalUrl, 'approve');
  expect(failed.status).toBe(503);
  rig.events.setFull(false);
  expect((await rita.decide(approvalUrl)).html).toContain('It is approved');
  rig.events.setFull(true);
  const repeated = withApproval(approval, 'delete_customer', { customer_id: '12345' });
  expect((await rig.post(repeated, words)).status).toBe(503);
  rig.events.setFull(false);
  expect(await isThere('12345')).toBe(true);
});

test('an approval expires ten minutes after it was asked for', async () => {
  const { words, asked } = newAgent();
  const { approval, approvalUrl } = await asked();
  await person(rig, 'rita').decide(approvalUrl);
  rig.skip(10 * 60_000);
  const later = { ...words, claims: { ...words.claims, ...times() } };
  expect(saysIn(await rig.post(withApproval(approval), later))).toContain('has expired');
  expect(rig.events.lastCall()).toMatchObject({ outcome: 'approval_needed', denial: false });
});

/** of a token that is made now, by the server's clock */
function times() {
  const seconds = Math.floor(rig.now() / 1000);
  return { iat: seconds, exp: seconds + 900, auth_time: seconds };
}

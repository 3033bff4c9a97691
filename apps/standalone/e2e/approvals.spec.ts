import { createHash, randomBytes } from 'node:crypto';
import { Browser } from './browser.js';
import { Gate, MOVABLE_CLOCK, outcomeOf, until, type Answer } from './gate.js';

let gate: Gate;
beforeAll(async () => {
  gate = await Gate.start();
}, 60_000);
afterAll(() => gate?.stop());

const REDIRECT = 'http://127.0.0.1:45678/callback';
type Person = { username: string; password: string };
const person = (name: string): Person => gate.demo.users.find(({ username }) => username === name)!;

/** A token of the desktop assistant, for the person who signs in for it. */
async function desktopOf(who: Person, scope: string): Promise<string> {
  const verifier = randomBytes(32).toString('base64url');
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: 'desktop',
    redirect_uri: REDIRECT,
    scope,
    resource: gate.ready.mcp,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const back = await new Browser(gate.ready.authServer).grant(`${gate.ready.authServer}/authorize?${query}`, who);
  const answer = await fetch(`${gate.ready.authServer}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: 'desktop',
      code: back.get('code')!,
      redirect_uri: REDIRECT,
      code_verifier: verifier,
      resource: gate.ready.mcp,
    }),
  });
  return ((await answer.json()) as { access_token: string }).access_token;
}

/** Opens the page of a call in a browser that goes wherever it is sent on this machine, and signs in. */
async function opened(url: string, who: Person) {
  const browser = new Browser('http://127.0.0.1:');
  const login = await browser.open(url);
  expect(login.html).toContain('Approval of calls');
  return { browser, page: await browser.submit(login, { username: who.username, password: who.password }) };
}
async function decided(url: string, who: Person, decision: 'approve' | 'refuse'): Promise<string> {
  const { browser, page } = await opened(url, who);
  return (await browser.submit({ ...page, url }, { decision })).html;
}

const waiting = (answer: Answer): { approvalUrl: string; approval: string } => {
  expect(outcomeOf(answer)).toBe('approval_needed');
  return answer.body.result!._meta!['portcullis/refusal'] as never;
};
const repeat = (token: string, tool: string, args: object, approval: string) =>
  gate.post(token, 'tools/call', { name: tool, arguments: args }, {}, { 'portcullis/approval': approval });

test('the desktop assistant deletes a customer for sam once ada has approved it, and not twice', async () => {
  const token = await desktopOf(person('sam'), 'customer:read customer:delete');
  const customer = { customer_id: 'XYZ789' };
  const { approval, approvalUrl } = waiting(await gate.call(token, 'delete_customer', customer));
  expect(new URL(approvalUrl).origin).toBe(new URL(gate.ready.mcp).origin);
  expect(outcomeOf(await gate.call(token, 'get_customer_info', customer))).toBe('allowed');

  const { page } = await opened(approvalUrl, person('ada'));
  for (const shown of ['delete_customer', 'desktop', '&quot;XYZ789&quot;']) expect(page.html).toContain(shown);
  expect(await decided(approvalUrl, person('ada'), 'approve')).toContain('It is approved');

  const others = { customer_id: 'QRS456' };
  expect(outcomeOf(await repeat(token, 'delete_customer', others, approval))).toBe('approval_needed');
  expect(outcomeOf(await repeat(token, 'delete_customer', customer, `${approval.slice(0, -1)}_`))).toBe(
    'approval_needed',
  );
  expect(outcomeOf(await repeat(token, 'delete_customer', customer, approval))).toBe('allowed');
  expect(outcomeOf(await repeat(token, 'delete_customer', customer, approval))).toBe('approval_needed');
  expect(outcomeOf(await gate.call(token, 'get_customer_info', customer))).toBe('row_forbidden');
  expect(outcomeOf(await gate.call(token, 'get_customer_info', others))).toBe('allowed');

  const actions = await until(async () => {
    const { body } = await gate.analytics('/v1/events?type=portcullis.approval.v1');
    const { items } = body as { items: { data: { action: string; approval: string } }[] };
    const own = items.filter(({ data }) => data.approval === approval);
    return own.length >= 3 ? own.map(({ data }) => data.action) : undefined;
  });
  expect([...actions].sort()).toEqual(['approval.asked', 'approval.given', 'approval.spent']);
}, 60_000);

test('sam cannot approve what is done in his name, and a refusal is the end of it', async () => {
  const token = await desktopOf(person('sam'), 'customer:delete');
  const customer = { customer_id: 'QRS456' };
  const { approval, approvalUrl } = waiting(await gate.call(token, 'delete_customer', customer));
  const { page } = await opened(approvalUrl, person('sam'));
  expect(page.html).toContain('somebody else has to decide');
  expect(page.html).not.toContain('<form');
  expect(await decided(approvalUrl, person('ada'), 'refuse')).toContain('It was refused');
  expect(outcomeOf(await repeat(token, 'delete_customer', customer, approval))).toBe('approval_needed');
}, 60_000);

test('who may not approve gets no further than signing in', async () => {
  const token = await desktopOf(person('sam'), 'customer:delete');
  const { approvalUrl } = waiting(await gate.call(token, 'delete_customer', { customer_id: 'ABC123' }));
  const { page } = await opened(approvalUrl, person('uma'));
  expect(page.html).toContain('not signed in as somebody who may approve');
  expect(page.html).not.toContain('delete_customer');
}, 60_000);

test('mail to many by a machine needs two different people, and is nobody else’s to use', async () => {
  const [client, other] = [await gate.newClient(['email:send']), await gate.newClient(['email:send'])];
  const token = await gate.tokenFor(client, { scope: 'email:send' });
  const letter = { customer_ids: ['12345', '67890'], subject: 'News', body: 'There are some.' };
  const { approval, approvalUrl } = waiting(await gate.call(token, 'send_bulk_email', letter));
  expect(await decided(approvalUrl, person('ada'), 'approve')).toContain('1 of 2');
  const again = await opened(approvalUrl, person('ada'));
  expect(again.page.html).toContain('You approved it');
  expect(outcomeOf(await repeat(token, 'send_bulk_email', letter, approval))).toBe('approval_needed');
  expect(await decided(approvalUrl, person('sam'), 'approve')).toContain('It is approved');
  const others = await gate.tokenFor(other, { scope: 'email:send' });
  expect(outcomeOf(await repeat(others, 'send_bulk_email', letter, approval))).toBe('approval_needed');
  const sent = await repeat(token, 'send_bulk_email', letter, approvalUrl);
  expect(sent.body.result?.structuredContent).toMatchObject({ queued: 2 });
}, 60_000);

test('ten minutes later nothing is approved any more, and nothing is to be seen', async () => {
  const moved = await Gate.start(['--ephemeral'], MOVABLE_CLOCK);
  const here = gate;
  gate = moved;
  try {
    const client = await gate.newClient(['email:send']);
    const token = await gate.tokenFor(client, { scope: 'email:send' });
    const letter = { customer_ids: ['12345'], subject: 'News', body: 'There are some.' };
    const { approval, approvalUrl } = waiting(await gate.call(token, 'send_bulk_email', letter));
    for (const name of ['ada', 'sam']) await decided(approvalUrl, person(name), 'approve');
    for (const ahead of ['400 s', '800 s']) {
      gate.child.kill('SIGUSR2');
      await until(() => gate.output.includes(`the clock is ${ahead}`));
    }
    const answer = await repeat(token, 'send_bulk_email', letter, approval);
    expect(answer.body.result?.content?.[0]?.text).toContain('has expired');
    expect((await new Browser('http://127.0.0.1:').open(approvalUrl)).html).toContain('Nothing to approve');
  } finally {
    gate = here;
    await moved.stop();
  }
}, 90_000);

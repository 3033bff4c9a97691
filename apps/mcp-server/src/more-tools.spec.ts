import type { Limiter } from '@portcullis/limits/limiter';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asking } from './asking.fixture.js';
import { MAX_CONTENT } from './attachments/content.js';
import { jpeg, png, zip } from './attachments/files.fixture.js';
import type { ToolTables } from './data/tables.sql.js';
import { call, startRig, type Rig } from './rig.fixture.js';
import { DIAGNOSTICS } from './diagnostics/diagnose.js';

const OTHER = 'drill-more';
let rig: Rig;
let spool: string;
let clamd: ReturnType<typeof createServer>;
/** what clamd says of whatever it gets */
let verdict = 'stream: OK';
let asked: ReturnType<typeof asking>['asked'];
let output: ReturnType<typeof asking>['output'];
let refusal: ReturnType<typeof asking>['refusal'];

beforeAll(async () => {
  clamd = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      if (bytes.toString('latin1').startsWith('zPING')) socket.end('PONG\0');
      // the chunk of length zero
      else if (bytes.subarray(-4).equals(Buffer.alloc(4))) socket.end(`${verdict}\0`);
    });
  });
  clamd.listen(0, '127.0.0.1');
  await once(clamd, 'listening');
  spool = await mkdtemp(join(tmpdir(), 'spool-'));
  rig = await startRig({
    OUTBOX_DIR: spool,
    CLAMD_HOST: '127.0.0.1',
    CLAMD_PORT: String((clamd.address() as AddressInfo).port),
  });
  ({ asked, output, refusal } = asking(rig));
  const admin = { scope: 'platform:admin', claims: { aud: `${rig.url}/admin` } };
  const authorization = `Bearer ${await rig.token(admin)}`;
  await rig.raw({ url: `${rig.url}/admin/v1/drills/${OTHER}`, method: 'PUT', headers: { authorization } });
}, 60_000);
afterAll(async () => {
  await rig.close();
  clamd.close();
  await rm(spool, { recursive: true });
});

const table = (name: 'attachments' | 'outgoing_mail' | 'tickets', tenant = 'default') =>
  rig.database.everyTenant<ToolTables>('tools').selectFrom(name).selectAll().where('tenant', '=', tenant).execute();
const file = (bytes: Uint8Array, name: string, ticket_id = 'T-000001') => ({
  ticket_id,
  name,
  content: Buffer.from(bytes).toString('base64'),
});

describe('analyze_customer_sentiment', () => {
  it('says how a text sounds, and counts two tokens a word as its usage', async () => {
    const text = 'I love your great support';
    expect(await output('analyze_customer_sentiment', { text })).toEqual({
      sentiment: 'positive',
      score: 2.67,
      words: 5,
    });
    expect(rig.events.lastCall().llmTokens).toBe(10);
  });

  it('refuses an empty text, one of more than 5,000 characters, and one with control characters', async () => {
    for (const text of ['', 'a'.repeat(5_001), 'a\0b']) {
      expect(await refusal('analyze_customer_sentiment', { text })).toMatchObject({ code: 'input_invalid' });
    }
    expect(rig.events.lastCall().llmTokens).not.toBe(0);
  });
});

describe('attach_file_to_ticket', () => {
  it('keeps a file with what it was found to be, scanned', async () => {
    const content = png();
    const made = await output('attach_file_to_ticket', file(content, 'screen.png'));
    expect(made).toEqual({
      attachment_id: 'A-100001',
      ticket_id: 'T-000001',
      name: 'screen.png',
      type: 'image/png',
      size_bytes: content.length,
      sha256: createHash('sha256').update(content).digest('hex'),
      scan: 'clean',
      created_at: expect.stringMatching(/Z$/),
    });
    const [row] = (await table('attachments')) as { content: Uint8Array }[];
    expect(content.equals(row!.content)).toBe(true);
  });

  it('takes the largest file, though it makes the body larger than any other', async () => {
    const largest = Buffer.alloc(MAX_CONTENT, 'a');
    expect(await output('attach_file_to_ticket', file(largest, 'large.txt'))).toMatchObject({
      size_bytes: MAX_CONTENT,
    });
    const { code } = await refusal('attach_file_to_ticket', file(Buffer.alloc(MAX_CONTENT + 3, 'a'), 'large.txt'));
    expect(code).toBe('input_invalid');
  });

  it.each([
    ['a ZIP by the name of a picture', file(zip(), 'a.png'), /content: must be a PDF/],
    ['a picture with an archive behind it', file(Buffer.concat([png(), zip()]), 'a.png'), /nothing behind/],
    ['a name that says something else', file(jpeg(), 'a.png'), /name: its extension does not say image\/jpeg/],
    ['a name with a path', file(png(), '../../a.png'), /name: must be a plain file name/],
    ['a page by the name of a text', file(Buffer.from('<html><script>'), 'a.txt'), /content: must be/],
    ['what is no base64', { ticket_id: 'T-000001', name: 'a.txt', content: 'YQ' }, /must be base64/],
    ['base64 of the other alphabet', { ticket_id: 'T-000001', name: 'a.txt', content: '_-==' }, /must be base64/],
    ['base64 with line breaks', { ticket_id: 'T-000001', name: 'a.txt', content: 'YWFh\nYWFh' }, /must be base64/],
    ['no content', { ticket_id: 'T-000001', name: 'a.txt', content: '' }, /content/],
  ])('refuses %s, and keeps nothing', async (_what, args, says) => {
    const before = (await table('attachments')).length;
    const { code, issues } = await refusal('attach_file_to_ticket', args);
    expect([code, issues.join()]).toEqual(['input_invalid', expect.stringMatching(says)]);
    expect((await table('attachments')).length).toBe(before);
  });

  it('refuses what the scanner finds harmful, and everything while the scanner gives no verdict', async () => {
    const before = (await table('attachments')).length;
    verdict = 'stream: Eicar-Signature FOUND';
    const { code, issues } = await refusal('attach_file_to_ticket', file(Buffer.from('hello'), 'a.txt'));
    expect([code, issues]).toEqual(['input_invalid', ['content: the scanner found it harmful']]);
    verdict = 'INSTREAM: something went wrong ERROR';
    const answer = await asked('attach_file_to_ticket', file(Buffer.from('hello'), 'a.txt'));
    expect(JSON.stringify(answer)).toContain('overloaded');
    expect(JSON.stringify(answer)).not.toContain('went wrong');
    verdict = 'stream: OK';
    expect((await table('attachments')).length).toBe(before);
  });

  it("answers another tenant's ticket as an unknown one", async () => {
    const { ticket_id } = await output('create_support_ticket', {
      customer_id: '12345',
      subject: 's',
      description: 'd',
    });
    for (const id of [ticket_id, 'T-999999']) {
      const said = await refusal('attach_file_to_ticket', file(png(), 'a.png', id), { tenant: OTHER });
      expect(said).toEqual({ code: 'row_forbidden', correlationId: expect.any(String) });
    }
  });

  it('in a task of one customer takes files to tickets of that customer only', async () => {
    const words = { claims: { sub: 'p', task: 'one', task_customer_id: '12345' } };
    expect(await refusal('attach_file_to_ticket', file(png(), 'a.png', 'T-000002'), words)).toMatchObject({
      code: 'row_forbidden',
    });
    expect(rig.events.lastCall()).toMatchObject({ denial: true });
    expect(await output('attach_file_to_ticket', file(png(), 'a.png'), words)).toMatchObject({ ticket_id: 'T-000001' });
  });
});

it('/readyz says which scanner there is, and is ready without one', async () => {
  const readyz = async (of: Rig) => (await of.raw({ url: `${of.managementUrl}/readyz` })).json;
  expect(await readyz(rig)).toMatchObject({ status: 'ready', notes: { scanner: 'ok' } });
  const bare = await startRig();
  try {
    expect(await readyz(bare)).toMatchObject({ status: 'ready', notes: { scanner: 'none configured' } });
    const { scan } = await asking(bare).output('attach_file_to_ticket', file(png(), 'a.png'));
    expect(scan).toBe('not_scanned');
  } finally {
    await bare.close();
  }
}, 60_000);

describe('run_diagnostic', () => {
  it.each(DIAGNOSTICS)('%s is fine', async (check) => {
    expect(await output('run_diagnostic', { check })).toMatchObject({ check, ok: true });
  });

  it.each([{ check: 'shell' }, { check: 'disk; id' }, { check: ['disk'] }, { check: 'disk', path: '/' }])(
    'refuses %j',
    async (args) => {
      expect(await refusal('run_diagnostic', args)).toMatchObject({ code: 'input_invalid' });
    },
  );

  it('is made once at a time for an agent, whatever it asks for', async () => {
    const words = { client: 'hasty', scope: 'diagnostics:run' };
    const run = (check: string, client = 'hasty') => rig.post(call('run_diagnostic', { check }), { ...words, client });
    const { begun, go } = heldProbe();
    const first = run('limiter');
    await begun;
    const second = await run('disk');
    expect([second.status, second.json.error.data.limitType]).toEqual([429, 'concurrency']);
    expect((await run('disk', 'patient')).json.result.structuredContent.ok).toBe(true);
    go();
    expect((await first).json.result.structuredContent.ok).toBe(true);
    expect((await run('disk')).json.result.structuredContent.ok).toBe(true);
  });

  /** Lets /readyz wait for the limiter, once. */
  function heldProbe(): { begun: Promise<void>; go(): void } {
    const limiter: Limiter = rig.limiter;
    const decide = limiter.decide.bind(limiter);
    const [begun, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    limiter.decide = async (question) => {
      if (question.principal !== 'readyz') return decide(question);
      limiter.decide = decide;
      begun.resolve();
      await held.promise;
      return decide(question);
    };
    return { begun: begun.promise, go: held.resolve };
  }

  it('needs a scope of its own', async () => {
    const { error } = await asked('run_diagnostic', { check: 'disk' }, { scope: 'customer:read ticket:read' });
    expect(error.data.scopes).toEqual(['diagnostics:run']);
  });
});

describe('read_all_customers', () => {
  it('pages through all customers of its tenant, each once, masked', async () => {
    const seen: string[] = [];
    for (let cursor: string | null = null; ;) {
      const page: { customers: Record<string, string>[]; next_cursor: string | null } = await output(
        'read_all_customers',
        { limit: 2, ...(cursor !== null && { cursor }) },
        { tenant: OTHER },
      );
      seen.push(...page.customers.map(({ customer_id = '' }) => customer_id));
      for (const { ssn } of page.customers) expect(ssn).toMatch(/^\*\*\*-\*\*-\d{4}$/);
      cursor = page.next_cursor;
      if (cursor === null) break;
    }
    expect(seen).toEqual(['12345', '67890', 'ABC123', 'QRS456', 'XYZ789']);
  });

  it.each([{ limit: 0 }, { limit: 201 }, { limit: 1.5 }, { cursor: "' or 1=1" }, { cursor: 'T-000001' }])(
    'refuses %j',
    async (args) => {
      expect(await refusal('read_all_customers', args)).toMatchObject({ code: 'input_invalid' });
    },
  );
});

describe('send_bulk_email', () => {
  const letter = { subject: 'News', body: 'Hello,\nwe have moved.' };

  it('writes one mail to each customer, once two people have approved it', async () => {
    const customer_ids = ['12345', '67890'];
    expect(await output('send_bulk_email', { customer_ids, ...letter })).toEqual({
      mail_id: 'M-100001',
      queued: 2,
    });
    expect(await table('outgoing_mail')).toMatchObject([
      { customer_id: '12345', address: 'ada.palmer@example.com', ...letter },
      { customer_id: '67890', address: 'benoit.moreau@example.com', ...letter },
    ]);
  });

  it('writes none when one customer is unknown', async () => {
    const before = (await table('outgoing_mail')).length;
    const said = await refusal('send_bulk_email', { customer_ids: ['12345', 'NOBODY'], ...letter });
    expect(said).toMatchObject({ code: 'row_forbidden' });
    expect((await table('outgoing_mail')).length).toBe(before);
  });

  it.each([
    { customer_ids: [], ...letter },
    { customer_ids: Array.from({ length: 501 }, (_, i) => `C${10_000 + i}`), ...letter },
    { customer_ids: ['12345'], ...letter, subject: 'a\r\nBcc: everybody@example.com' },
    { customer_ids: ['12345'], ...letter, body: '' },
    { customer_ids: ['12345'], ...letter, from: 'boss@example.com' },
  ])('refuses %#', async (args) => {
    expect(await refusal('send_bulk_email', args)).toMatchObject({ code: 'input_invalid' });
  });
});

describe('delete_records', () => {
  const ticket = async (tenant = 'default'): Promise<string> => {
    const args = { customer_id: '67890', subject: 's', description: 'd' };
    return (await output('create_support_ticket', args, { tenant })).ticket_id;
  };

  it('deletes attachments alone, and tickets with theirs, once a person has approved it', async () => {
    const id = await ticket();
    const names = ['a.png', 'b.png'];
    const made: { attachment_id: string }[] = [];
    for (const name of names) made.push(await output('attach_file_to_ticket', file(png(), name, id)));
    const ids = [made[0]!.attachment_id];
    expect(await output('delete_records', { dataset: 'attachments', ids })).toEqual({
      dataset: 'attachments',
      deleted: 1,
    });
    const left = async () => (await table('attachments')).filter((row) => 'ticket_id' in row && row.ticket_id === id);
    expect(await left()).toMatchObject([{ name: 'b.png' }]);
    expect(await output('delete_records', { dataset: 'tickets', ids: [id] })).toEqual({
      dataset: 'tickets',
      deleted: 1,
    });
    expect(await left()).toEqual([]);
    expect(await refusal('get_support_ticket', { ticket_id: id })).toMatchObject({ code: 'row_forbidden' });
  });

  it("deletes none when one is unknown, and none of another tenant's", async () => {
    const [id, theirs] = [await ticket(), await ticket(OTHER)];
    expect(id).not.toBe(theirs);
    for (const ids of [
      [id, 'T-999999'],
      [theirs, 'T-999999'],
    ]) {
      const said = await refusal('delete_records', { dataset: 'tickets', ids });
      expect(said).toMatchObject({ code: 'row_forbidden' });
    }
    expect(await output('get_support_ticket', { ticket_id: id })).toMatchObject({ ticket_id: id });
    expect(await output('get_support_ticket', { ticket_id: theirs }, { tenant: OTHER })).toMatchObject({
      ticket_id: theirs,
    });
  });

  it.each([
    { dataset: 'tickets', ids: [] },
    { dataset: 'tickets', ids: ['A-100001'] },
    { dataset: 'attachments', ids: ['T-000001'] },
    { dataset: 'tickets', ids: ['T-000001', 'T-000001'] },
    { dataset: 'tickets', ids: Array.from({ length: 101 }, (_, i) => `T-${200_000 + i}`) },
    { dataset: 'customers', ids: ['12345'] },
    { dataset: 'tickets', ids: ["T-000001' or '1'='1"] },
  ])('refuses %#', async (args) => {
    expect(await refusal('delete_records', args)).toMatchObject({ code: 'input_invalid' });
  });
});

import { ruleFor } from '@portcullis/limits/rules';
import { RESOURCES } from '@portcullis/scopes/resources';
import { person as personOf, refusalIn, withApproval } from './approvals.fixture.js';
import { call, legacy, modern, startRig, type Rig, type TokenWords } from './rig.fixture.js';
import { readCustomer } from './tools/get-customer-info.js';
import { TOOLS } from './tools/tools.js';

const DRILL = 'drill-tools';
const FULL = RESOURCES.mcp.join(' ');
let rig: Rig;
let agents = 0;
beforeAll(async () => {
  rig = await startRig();
  const admin = { scope: 'platform:admin', claims: { aud: `${rig.url}/admin` } };
  const seeded = await rig.raw({
    url: `${rig.url}/admin/v1/drills/${DRILL}`,
    method: 'PUT',
    headers: { authorization: `Bearer ${await rig.token(admin)}` },
  });
  expect(seeded.status).toBe(200);
}, 60_000);
afterAll(() => rig.close());

const asked = async (name: string, args: unknown, words: TokenWords = {}) => {
  const person = { sub: 'person', auth_time: Math.floor(Date.now() / 1000) };
  const agent = { client: `t-${++agents}`, scope: FULL, claims: person, ...words };
  let got = await rig.post(call(name, args), agent);
  const { approval, approvalUrl } = refusalIn(got);
  if (approvalUrl !== undefined) {
    for (const who of ['rita', 'ron']) await personOf(rig, who, words).decide(String(approvalUrl));
    got = await rig.post(withApproval(approval, name, args), agent);
  }
  return got.json.result ?? got.json;
};
const output = async (name: string, args: unknown, words?: TokenWords) =>
  (await asked(name, args, words)).structuredContent;
const refusal = async (name: string, args: unknown, words?: TokenWords) => {
  const { isError, _meta } = await asked(name, args, words);
  return isError === true ? _meta['portcullis/refusal'].code : undefined;
};

describe('the registry', () => {
  it.each([...TOOLS.values(), readCustomer].map((tool) => [tool.name, tool] as const))(
    '%s states the limits that the limiter keeps',
    (name, tool) => {
      expect(tool.limit).toEqual({ ...ruleFor(name) });
    },
  );

  it('has the tools of this version, in the order clients see', () => {
    expect([...TOOLS.keys()]).toEqual([
      'get_customer_info',
      'get_recent_customers',
      'get_support_ticket',
      'create_support_ticket',
      'calculate_account_value',
      'analyze_customer_sentiment',
      'update_customer',
      'delete_customer',
      'attach_file_to_ticket',
      'run_diagnostic',
      'read_all_customers',
      'export_data',
      'send_bulk_email',
      'delete_records',
    ]);
  });

  it('asks for scopes that tokens for /mcp can carry, and for no others', () => {
    const known = new Set<string>(RESOURCES.mcp);
    for (const tool of TOOLS.values()) for (const scope of tool.scopes) expect(known.has(scope)).toBe(true);
  });
});

describe('tools', () => {
  it('get_customer_info shows one customer, with number and card masked', async () => {
    const { content, structuredContent } = await asked('get_customer_info', { customer_id: '12345' });
    expect(structuredContent).toMatchObject({
      customer_id: '12345',
      name: 'Ada Palmer',
      balance: 1240.5,
      ssn: '***-**-6789',
      card: '****-****-****-1111',
    });
    expect(JSON.parse(content[0].text)).toEqual(structuredContent);
  });

  it('get_recent_customers shows the newest first, ten unless told', async () => {
    const { customers } = await output('get_recent_customers', { limit: 3 });
    expect(customers.map((row: { customer_id: string }) => row.customer_id)).toEqual(['XYZ789', 'ABC123', '67890']);
    expect((await output('get_recent_customers', {})).customers).toHaveLength(5);
    expect([
      await refusal('get_recent_customers', { limit: 0 }),
      await refusal('get_recent_customers', { limit: 51 }),
    ]).toEqual(['input_invalid', 'input_invalid']);
  });

  it('get_support_ticket shows one ticket', async () => {
    expect(await output('get_support_ticket', { ticket_id: 'T-000002' })).toMatchObject({
      ticket_id: 'T-000002',
      customer_id: 'ABC123',
      priority: 'high',
    });
  });

  it('create_support_ticket opens one, numbered by its tenant, which can be read again', async () => {
    const args = { customer_id: '67890', subject: 'Billing', description: 'Line one\n\tline two' };
    const made = await output('create_support_ticket', args);
    expect(made).toMatchObject({ ...args, ticket_id: 'T-100001', priority: 'normal', status: 'open' });
    expect(await output('get_support_ticket', { ticket_id: 'T-100001' })).toEqual(made);
    expect((await output('create_support_ticket', { ...args, priority: 'urgent' })).ticket_id).toBe('T-100002');
    expect((await output('create_support_ticket', args, { tenant: DRILL })).ticket_id).toBe('T-100001');
  });

  it('twenty tickets opened at once get twenty numbers', async () => {
    const args = { customer_id: 'XYZ789', subject: 's', description: 'd' };
    const made = await Promise.all(Array.from({ length: 20 }, () => output('create_support_ticket', args)));
    expect(new Set(made.map(({ ticket_id }) => ticket_id)).size).toBe(20);
  });

  it.each([
    [{ purchases: [150, 300, 89] }, { purchases: 3, total: 539 }],
    [{ purchases: [0.1, 0.2] }, { purchases: 2, total: 0.3 }],
    [{ purchases: [1.005, -0.01, 1e8] }, { purchases: 3, total: 100000000.99 }],
    [{ customer_id: '12345' }, { customer_id: '12345', purchases: 3, total: 539 }],
    [
      { customer_id: '12345', purchases: [1] },
      { customer_id: '12345', purchases: 4, total: 540 },
    ],
    [{ customer_id: 'QRS456' }, { customer_id: 'QRS456', purchases: 0, total: 0 }],
  ])('calculate_account_value of %j', async (args, expected) => {
    expect(await output('calculate_account_value', args)).toEqual(expected);
  });

  it.each([
    {},
    { purchases: [] },
    { purchases: [1e9] },
    { purchases: ['1'] },
    { purchases: Array(1001).fill(1) },
    { purchases: [null] },
  ])('calculate_account_value refuses %j', async (args) => {
    expect(await refusal('calculate_account_value', args)).toBe('input_invalid');
  });

  it('calculate_account_value of a customer needs to read customers, of numbers it does not', async () => {
    const words = { scope: 'account:calculate', ceiling: FULL };
    expect(await output('calculate_account_value', { purchases: [1] }, words)).toEqual({ purchases: 1, total: 1 });
    const { error } = await asked('calculate_account_value', { customer_id: '12345' }, words);
    expect(error.data.scopes).toEqual(['account:calculate', 'customer:read']);
  });

  it('update_customer changes what it is given and nothing else', async () => {
    const before = await output('get_customer_info', { customer_id: 'ABC123' });
    const after = await output('update_customer', { customer_id: 'ABC123', status: 'active', name: "O'Hara; --" });
    expect(after).toEqual({ ...before, status: 'active', name: "O'Hara; --" });
    expect(await output('get_customer_info', { customer_id: 'ABC123' })).toEqual(after);
  });

  it.each([
    { customer_id: 'ABC123' },
    { customer_id: 'ABC123', ssn: '1' },
    { customer_id: 'ABC123', balance: 1 },
    { customer_id: 'ABC123', email: 'nobody' },
    { customer_id: 'ABC123', phone: 'call me' },
    { customer_id: 'ABC123', status: 'gone' },
    { customer_id: 'ABC123', name: '' },
  ])('update_customer refuses %j', async (args) => {
    expect(await refusal('update_customer', args)).toBe('input_invalid');
  });

  it('delete_customer takes the customer away with tickets and purchases, in its own tenant only', async () => {
    expect(await output('delete_customer', { customer_id: 'ABC123' })).toEqual({
      customer_id: 'ABC123',
      deleted: true,
    });
    expect(await refusal('get_customer_info', { customer_id: 'ABC123' })).toBe('row_forbidden');
    expect(await refusal('get_support_ticket', { ticket_id: 'T-000002' })).toBe('row_forbidden');
    expect(await refusal('delete_customer', { customer_id: 'ABC123' })).toBe('row_forbidden');
    expect(await output('get_support_ticket', { ticket_id: 'T-000002' }, { tenant: DRILL })).toMatchObject({
      customer_id: 'ABC123',
    });
  });

  it('export_data pages through a whole data set, each row once, masked', async () => {
    for (const [dataset, id] of [
      ['customers', 'customer_id'],
      ['tickets', 'ticket_id'],
    ] as const) {
      const seen: string[] = [];
      let cursor: string | null = null;
      do {
        const page: { rows: Record<string, string>[]; next_cursor: string | null } = await output(
          'export_data',
          { dataset, limit: 2, ...(cursor !== null && { cursor }) },
          { tenant: DRILL },
        );
        seen.push(...page.rows.map((row) => row[id]!));
        for (const row of page.rows) if (dataset === 'customers') expect(row['ssn']).toMatch(/^\*\*\*-\*\*-\d{4}$/);
        cursor = page.next_cursor;
      } while (cursor !== null);
      expect(seen).toEqual([...new Set(seen)].sort());
      expect(seen.length).toBe(dataset === 'customers' ? 5 : 4);
    }
  });

  it('export_data refuses a cursor that is none of its own', async () => {
    for (const cursor of ['T-000001', "' or 1=1", '']) {
      expect(await refusal('export_data', { dataset: 'customers', cursor })).toBe('input_invalid');
    }
  });

  it.each(['get_customer_info', 'export_data', 'get_recent_customers', 'update_customer'])(
    'no answer of %s shows a whole number',
    async (name) => {
      const args = {
        get_customer_info: { customer_id: '67890' },
        export_data: { dataset: 'customers' },
        get_recent_customers: {},
        update_customer: { customer_id: '67890', phone: '+1 555 0199' },
      }[name];
      const text = JSON.stringify(await asked(name, args));
      expect(text).toContain('***-**-3456');
      expect(text).not.toMatch(/\d{3}-\d{2}-\d{4}|(\d{4}-){2}/);
    },
  );
});

describe('tenants', () => {
  const ONLY_DEFAULT = 'QRS456';
  beforeAll(async () => {
    await output('delete_customer', { customer_id: ONLY_DEFAULT }, { tenant: DRILL });
  });

  it.each([
    ['get_customer_info', { customer_id: ONLY_DEFAULT }, { customer_id: 'NOBODY' }],
    [
      'create_support_ticket',
      { customer_id: ONLY_DEFAULT, subject: 's', description: 'd' },
      { customer_id: 'NOBODY', subject: 's', description: 'd' },
    ],
    ['calculate_account_value', { customer_id: ONLY_DEFAULT }, { customer_id: 'NOBODY' }],
    ['update_customer', { customer_id: ONLY_DEFAULT, name: 'x' }, { customer_id: 'NOBODY', name: 'x' }],
    ['delete_customer', { customer_id: ONLY_DEFAULT }, { customer_id: 'NOBODY' }],
    ['get_support_ticket', { ticket_id: 'T-100003' }, { ticket_id: 'T-999999' }],
  ])("%s answers another tenant's id as it answers an unknown one", async (name, theirs, unknown) => {
    const answers = await Promise.all([theirs, unknown].map((args) => asked(name, args, { tenant: DRILL })));
    const [a, b] = answers.map((answer) => {
      const { correlationId: _, ...rest } = answer._meta['portcullis/refusal'];
      return { ...answer, _meta: rest };
    });
    expect(a).toEqual(b);
    expect(a!._meta).toEqual({ code: 'row_forbidden' });
    expect(await output('get_customer_info', { customer_id: ONLY_DEFAULT })).toMatchObject({ name: 'Elena Rossi' });
  });

  it('lists and exports show the own tenant only', async () => {
    const lists = [
      (await output('get_recent_customers', { limit: 50 }, { tenant: DRILL })).customers,
      (await output('export_data', { dataset: 'customers', limit: 500 }, { tenant: DRILL })).rows,
    ];
    for (const rows of lists)
      expect(rows.map((row: { customer_id: string }) => row.customer_id)).not.toContain(ONLY_DEFAULT);
    expect(await output('get_recent_customers', {}, { tenant: 'drill-empty' })).toEqual({ customers: [] });
  });

  it('the resource is as narrow as the tool', async () => {
    const read = (uri: string) => rig.post(modern('resources/read', { uri }), { client: 'r', tenant: DRILL });
    const [theirs, unknown] = [await read(`customer://${ONLY_DEFAULT}`), await read('customer://NOBODY')];
    for (const { status, json } of [theirs, unknown]) {
      expect([status, json.error.code, json.error.data.code]).toEqual([200, -32602, 'row_forbidden']);
    }
    const own = await read('customer://12345');
    expect(JSON.parse(own.json.result.contents[0].text)).toMatchObject({ customer_id: '12345', ssn: '***-**-6789' });
  });
});

describe('resources/templates/list', () => {
  it.each([
    ['customer:write', ['customer://{customer_id}']],
    ['ticket:read', []],
  ])('with a ceiling of %s shows %j', async (scope, expected) => {
    const { json } = await rig.post(modern('resources/templates/list'), { client: `r-${++agents}`, scope });
    expect(json.result.resourceTemplates.map(({ uriTemplate }: { uriTemplate: string }) => uriTemplate)).toEqual(
      expected,
    );
  });
});

describe('tools/list', () => {
  const listed = async (words: TokenWords) =>
    (await rig.post(modern('tools/list'), { client: `l-${++agents}`, ...words })).json.result;

  it('shows the tools inside the ceiling, in the fixed order, and says what the token is good for', async () => {
    const { tools, cacheScope, resultType } = await listed({
      scope: 'ticket:read',
      ceiling: 'customer:write ticket:read account:calculate',
    });
    expect(tools.map((tool: { name: string; _meta: object }) => [tool.name, tool._meta])).toEqual([
      ['get_customer_info', { 'portcullis/scopes': ['customer:read'], 'portcullis/granted': false }],
      ['get_recent_customers', { 'portcullis/scopes': ['customer:read'], 'portcullis/granted': false }],
      ['get_support_ticket', { 'portcullis/scopes': ['ticket:read'], 'portcullis/granted': true }],
      ['calculate_account_value', { 'portcullis/scopes': ['account:calculate'], 'portcullis/granted': false }],
      ['update_customer', { 'portcullis/scopes': ['customer:write'], 'portcullis/granted': false }],
    ]);
    expect([cacheScope, resultType]).toEqual(['private', 'complete']);
  });

  it('gives strict schemas that show no label and no pattern of what is masked', async () => {
    const { tools } = await listed({ scope: FULL });
    expect(tools).toHaveLength(TOOLS.size);
    for (const { inputSchema, outputSchema, annotations } of tools) {
      expect([inputSchema.type, inputSchema.additionalProperties, outputSchema.type]).toEqual([
        'object',
        false,
        'object',
      ]);
      expect(typeof annotations.readOnlyHint).toBe('boolean');
    }
    expect(tools.find((tool: { name: string }) => tool.name === 'delete_customer').annotations).toEqual({
      readOnlyHint: false,
      destructiveHint: true,
      openWorldHint: false,
    });
  });

  it('says the same in older revisions, without what only the new one has', async () => {
    const old = (await rig.post(legacy('tools/list'), { client: 'l-old', scope: FULL })).json.result;
    const { tools } = await listed({ scope: FULL });
    expect(old).toEqual({ tools });
  });
});

import { principalId } from '@portcullis/contract/ids';
import type { Database } from '@portcullis/sql/database';
import { openTestDatabase } from '@portcullis/sql/database.fixture';
import { call, denials, T0, uuid } from './events.fixture.js';
import { handClock, readFeed, startIssuer, startService, until, type Issuer } from './service.fixture.js';

let database: Database;
let issuer: Issuer;
let service: Awaited<ReturnType<typeof startService>>;
let reader: string;
let responder: string;
let platform: string;
const clock = handClock();

const BAD = principalId('default', 'bad');
const GOOD = principalId('default', 'good');
const THEIRS = principalId('other', 'theirs');
const NOBODY = principalId('default', 'nobody');

beforeAll(async () => {
  database = await openTestDatabase();
  issuer = await startIssuer();
  service = await startService({ database, issuer, now: clock.now });
  [reader, responder, platform] = await Promise.all([
    service.token('security:read'),
    service.token('security:read security:respond'),
    service.token('security:read security:respond platform:admin', {
      sub: 'local-admin',
      client_id: 'local-admin',
      actor: 'local-admin/7',
    }),
  ]);
  await service.say([
    ...denials(5, { clientId: 'bad' }),
    ...Array.from({ length: 20 }, (_, n) => call({ clientId: 'good', at: n })),
    call({ clientId: 'desktop', sub: 'grace' }),
    call({ clientId: 'desktop', sub: 'edsger' }),
    ...denials(5, { tenant: 'other', clientId: 'theirs' }),
  ]);
}, 60_000);
afterAll(async () => {
  await service.close();
  await issuer.close();
  await database.close();
});

const move = (agent: string, token: string, body: unknown) =>
  service.ask(`/v1/agents/${agent}/transitions`, token, body);

describe('who may ask', () => {
  const paths = ['/v1/agents', `/v1/agents/${BAD}`, '/v1/events'];

  test.each(paths)('%s without a token is 401 and names the scope to ask for', async (path) => {
    const { status, headers, body } = await service.ask(path, undefined);
    expect([status, body.error]).toEqual([401, 'token_missing']);
    expect(headers.get('www-authenticate')).toContain('scope="security:read"');
  });

  test('who may not is on record', async () => {
    await service.ask(`/v1/agents/${BAD}`, undefined);
    const events = await until(async () => {
      const { body } = await service.ask('/v1/events?type=portcullis.admin.v1&limit=100', platform);
      const { items } = body as { items: { data: { target?: string } }[] };
      const refused = items.filter(({ data }) => data.target === 'GET /v1/agents/:id');
      return refused.length > 0 ? refused : undefined;
    });
    expect(events[0]).toMatchObject({ data: { action: 'request.refused', actor: 'unknown' } });
  });

  test.each(paths)('%s with a token for another API, or an expired one, is 401', async (path) => {
    for (const claims of [
      { aud: 'http://127.0.0.1/mcp' },
      { exp: Math.floor(T0 / 1000) - 60 },
      { iss: 'http://evil' },
    ]) {
      const { status, body } = await service.ask(path, await service.token('security:read', claims));
      expect([status, body.error]).toEqual([401, 'token_invalid']);
    }
  });

  test.each(paths)('%s without security:read is 403, and platform:admin alone does not replace it', async (path) => {
    for (const scope of ['security:respond', 'platform:admin', 'customer:read', '']) {
      const { status, body } = await service.ask(path, await service.token(scope));
      expect([status, body.error]).toEqual([403, 'scope_insufficient']);
    }
  });

  test('moving an agent needs security:respond, and nothing moves without it', async () => {
    const body = { to: 'Isolated', reason: 'because' };
    expect((await move(GOOD, undefined as never, body)).status).toBe(401);
    expect(await move(GOOD, reader, body)).toMatchObject({ status: 403, body: { error: 'scope_insufficient' } });
    expect((await service.ask(`/v1/agents/${GOOD}`, reader)).body.state).toBe('Normal');
  });

  test('a person whose own principal is contained may not ask, nor release themselves', async () => {
    const person = { client_id: 'portcullis-cli', sub: 'mallory' };
    const token = await service.token('security:read security:respond', person);
    expect((await service.ask('/v1/agents', token)).status).toBe(200);
    await service.say(denials(5, { clientId: person.client_id, sub: person.sub }));
    const own = principalId('default', person.client_id, person.sub);
    const answer = await move(own, token, { to: 'Remediation', reason: 'it was not me' });
    expect([answer.status, answer.body.error]).toEqual([403, 'quarantined']);
    expect(answer.headers.get('www-authenticate')).toBeNull();
  });
});

describe('agents', () => {
  test('the list shows who they are, their state, since when, why, and their denials', async () => {
    const { status, body } = await service.ask('/v1/agents?client_id=bad', reader);
    expect(status).toBe(200);
    expect(body).toEqual({
      items: [
        {
          agent: BAD,
          tenant: 'default',
          client_id: 'bad',
          state: 'Isolated',
          since: new Date(T0 + 4000).toISOString(),
          why: '5 denials within 60 s',
          denials: 5,
        },
      ],
      next_cursor: null,
    });
  });

  test('paging by cursor shows every agent once', async () => {
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { status, body } = await service.ask(`/v1/agents?limit=2${cursor && `&cursor=${cursor}`}`, reader);
      expect(status).toBe(200);
      seen.push(...body.items.map(({ agent }: { agent: string }) => agent));
      cursor = body.next_cursor;
    }
    const { body } = await service.ask('/v1/agents?limit=200', reader);
    expect(seen).toEqual(body.items.map(({ agent }: { agent: string }) => agent));
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining([BAD, GOOD]));
  });

  test('one agent is named by its id, or by its client where that is one agent', async () => {
    const byId = await service.ask(`/v1/agents/${BAD}`, reader);
    expect(byId.body).toMatchObject({ agent: BAD, state: 'Isolated', a_person_may: ['Remediation', 'Compromised'] });
    expect(byId.body.transitions.map(({ to }: { to: string }) => to)).toEqual(['Isolated', 'Suspicious', 'Monitoring']);
    expect((await service.ask('/v1/agents/bad', reader)).body).toEqual(byId.body);
    const several = await service.ask('/v1/agents/desktop', reader);
    expect([several.status, several.body.error]).toEqual([409, 'agent_ambiguous']);
    expect(several.body.error_description).toContain(principalId('default', 'desktop', 'grace'));
  });

  test('an agent of another tenant, one that never was and a name that cannot be get the very same answer', async () => {
    const names = [
      THEIRS,
      'theirs',
      NOBODY,
      'nobody',
      '%00',
      '%F0%9F%92%A9',
      'x'.repeat(300),
      "'; drop table agents; --",
    ];
    const words = async (name: string, body?: unknown) => {
      const answer = await service.ask(`/v1/agents/${name}${body ? '/transitions' : ''}`, responder, body);
      const { correlation_id: _, ...rest } = answer.body;
      return { status: answer.status, ...rest };
    };
    const shown = await Promise.all(names.map((name) => words(name)));
    const moved = await Promise.all(names.map((name) => words(name, { to: 'Isolated', reason: 'because' })));
    expect(new Set([...shown, ...moved].map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(shown[0]).toMatchObject({ status: 404, error: 'agent_unknown' });
    expect(shown[0].error_description).toContain('first call');
  });
});

describe('a person decides', () => {
  const body = { to: 'Isolated', reason: 'odd requests' };

  test('quarantine, release and clear: the answer shows the state, the feed knows it, the audit says who and why', async () => {
    const client = 'released';
    const agent = principalId('default', client);
    await service.say([call({ clientId: client })]);
    const feed = await readFeed(service.bus);
    for (const [to, name] of [
      ['Isolated', agent],
      ['Remediation', client],
      ['Normal', agent],
    ] as const) {
      const answer = await move(name, responder, { to, reason: `now ${to}` });
      expect(answer).toMatchObject({ status: 200, body: { agent, state: to, why: `now ${to}` } });
      expect(feed.standings.at(-1)).toMatchObject({ agent, state: to });
    }
    const events = await until(async () => {
      const answer = await service.ask(`/v1/events?agent=${agent}&type=portcullis.standing.v1`, reader);
      return answer.body.items.length === 3 ? answer.body.items : undefined;
    });
    expect(new Set(events.map(({ data }: { data: { by: string } }) => data.by))).toEqual(new Set(['ada']));
    expect(events.map(({ data }: { data: { why: string } }) => data.why).sort()).toEqual([
      'now Isolated',
      'now Normal',
      'now Remediation',
    ]);
    await feed.stop();
  });

  test('a move that the table does not have is 409, says what is possible, and moves nobody', async () => {
    const skipping = await move(BAD, responder, { to: 'Normal', reason: 'in a hurry' });
    expect([skipping.status, skipping.body.error]).toEqual([409, 'transition_illegal']);
    expect(skipping.body.error_description).toContain('Remediation, Compromised');
    for (const to of ['Monitoring', 'Suspicious', 'Isolated']) {
      expect((await move(BAD, responder, { to, reason: 'because' })).status).toBe(409);
    }
    expect((await service.ask(`/v1/agents/${BAD}`, reader)).body.state).toBe('Isolated');
  });

  test('after a release, twenty allowed calls and ten minutes make an agent Normal, also when nobody calls any more', async () => {
    const clientId = 'clean';
    await service.say(denials(5, { clientId }));
    clock.at = 10_000;
    expect((await move(clientId, responder, { to: 'Remediation', reason: 'looked into it' })).status).toBe(200);
    await service.say(Array.from({ length: 20 }, (_, n) => call({ clientId, at: 20_000 + n })));
    clock.at = 10_000 + 10 * 60_000 - 1;
    expect((await service.ask(`/v1/agents/${clientId}`, await service.token('security:read'))).body.state).toBe(
      'Remediation',
    );
    clock.at += 1;
    const { body } = await service.ask(`/v1/agents/${clientId}`, await service.token('security:read'));
    expect(body).toMatchObject({ state: 'Normal', since: new Date(T0 + clock.at).toISOString() });
    expect(body.transitions[0]).toMatchObject({ from: 'Remediation', to: 'Normal', by: 'rule:remediated' });
    clock.at = 0;
  });

  test.each([
    ['no reason', { to: 'Isolated' }],
    ['an empty reason', { ...body, reason: '' }],
    ['a blank reason', { ...body, reason: ' \n ' }],
    ['a reason of 501 characters', { ...body, reason: 'x'.repeat(501) }],
    ['a NUL in the reason', { ...body, reason: 'a\0b' }],
    ['a state that is none', { ...body, to: 'Blocked' }],
    ['a word that is not asked for', { ...body, tenant: 'other' }],
    ['an array', [body]],
    ['a text', '"Isolated"'],
    ['no JSON', '{"to":'],
  ])('%s is 400 and moves nobody', async (_what, sent) => {
    const answer = await move(GOOD, responder, sent);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toContain('application/json');
    expect((await service.ask(`/v1/agents/${GOOD}`, reader)).body.state).toBe('Normal');
  });

  test('a reason of 500 characters is taken', async () => {
    const clientId = 'long';
    await service.say([call({ clientId })]);
    const reason = 'ü'.repeat(500);
    expect((await move(clientId, responder, { to: 'Investigation', reason })).body.why).toBe(reason);
  });
});

describe('events', () => {
  test('paging by cursor shows every event once, newest first', async () => {
    const seen: { id: string; time: string }[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { body } = await service.ask(`/v1/events?agent=good&limit=7${cursor && `&cursor=${cursor}`}`, reader);
      seen.push(...body.items);
      cursor = body.next_cursor;
    }
    expect(new Set(seen.map(({ id }) => id)).size).toBe(20);
    expect(seen.map(({ time }) => time)).toEqual(
      seen
        .map(({ time }) => time)
        .toSorted()
        .reverse(),
    );
  });

  test('filters are put together', async () => {
    const since = new Date(T0 + 5).toISOString();
    const until = encodeURIComponent('2026-11-21T13:00:00.008+01:00');
    const query = `agent=${GOOD}&type=portcullis.call.v1&tool=get_customer_info&outcome=allowed&since=${since}&until=${until}`;
    const { status, body } = await service.ask(`/v1/events?${query}`, reader);
    expect([status, body.items.length, body.next_cursor]).toEqual([200, 3, null]);
    const { data } = body.items[0];
    const one = await service.ask(`/v1/events?correlation_id=${data.correlationId}`, reader);
    expect(one.body.items).toMatchObject([{ data: { correlationId: data.correlationId } }]);
  });

  test.each([
    '?limit=0',
    '?limit=201',
    '?limit=many',
    '?limit=1e1',
    '?limit=5&limit=6',
    '?cursor=x',
    `?cursor=${Buffer.from('["a","b"]').toString('base64url')}`,
    `?cursor=${Buffer.from(JSON.stringify([new Date(T0).toISOString(), `${uuid(1)}'`])).toString('base64url')}`,
    '?type=call',
    '?since=yesterday',
    '?until=2026-13-01T00:00:00Z',
    '?correlation_id=1',
    '?agent=%00',
    '?tool=',
    '?agent[x]=1',
    '?page=2',
    '?tenant=No%2FSlug',
  ])('/v1/events%s is 400 and names the parameter', async (query) => {
    const { status, body } = await service.ask(`/v1/events${query}`, reader);
    expect([status, body.error]).toEqual([400, 'input_invalid']);
    expect(body.issues.length).toBeGreaterThan(0);
    expect(JSON.stringify(body)).not.toContain('postgres');
  });

  test('a cursor of one list is not one of the other', async () => {
    const { body } = await service.ask('/v1/agents?limit=1', reader);
    expect((await service.ask(`/v1/events?cursor=${body.next_cursor}`, reader)).status).toBe(400);
  });
});

describe('tenants', () => {
  test('a token sees its own tenant only, and may name no other', async () => {
    for (const path of ['/v1/agents?limit=200', '/v1/events?limit=200']) {
      const { body } = await service.ask(path, reader);
      expect(new Set(body.items.map(({ tenant }: { tenant: string }) => tenant))).toEqual(new Set(['default']));
      for (const tenant of ['other', 'never-was']) {
        expect(await service.ask(`${path}&tenant=${tenant}`, reader)).toMatchObject({
          status: 403,
          body: { error: 'scope_insufficient' },
        });
      }
      expect((await service.ask(`${path}&tenant=default`, reader)).status).toBe(200);
    }
    expect((await service.ask(`/v1/events?agent=${THEIRS}`, reader)).body.items).toEqual([]);
  });

  test('platform:admin sees all tenants or the one it names', async () => {
    const all = await service.ask('/v1/agents?limit=200', platform);
    const tenants = new Set(all.body.items.map(({ tenant }: { tenant: string }) => tenant));
    expect(tenants).toEqual(new Set(['default', 'other']));
    const one = await service.ask('/v1/agents?tenant=other', platform);
    expect(one.body.items).toMatchObject([{ agent: THEIRS, tenant: 'other' }]);
    expect((await service.ask(`/v1/agents/${THEIRS}`, platform)).body).toMatchObject({ tenant: 'other' });
    expect((await service.ask('/v1/agents/theirs?tenant=default', platform)).status).toBe(404);
  });

  test('each look across tenants is an admin event in the log of the tenant that was looked at', async () => {
    await service.ask('/v1/events?tenant=other&tool=x', platform);
    await move(THEIRS, platform, { to: 'Remediation', reason: 'agreed with them' });
    const admins = await until(async () => {
      const their = await service.token('security:read', { tenant: 'other' });
      const { body } = await service.ask('/v1/events?type=portcullis.admin.v1&limit=200', their);
      const actions = body.items.map(({ data }: { data: object }) => data);
      return actions.some(({ action }: { action: string }) => action === 'agent.move') ? actions : undefined;
    });
    expect(admins).toEqual(
      expect.arrayContaining([
        { action: 'events.read', actor: 'local-admin/7', target: 'other' },
        { action: 'agent.move', actor: 'local-admin/7', target: `other/${THEIRS}`, reason: 'agreed with them' },
      ]),
    );
  });

  test('a look across tenants that cannot be audited does not happen', async () => {
    const own = await startService({ database, issuer, now: clock.now });
    try {
      await own.events.close();
      const admin = await own.token('security:read platform:admin');
      expect((await own.ask('/v1/agents', admin)).status).toBe(503);
      expect((await own.ask('/v1/agents', await own.token('security:read'))).status).toBe(200);
    } finally {
      await own.close();
    }
  });
});

test('what is not there is a JSON 404 with the headers of an API, also where the console will be', async () => {
  for (const path of ['/', '/v1', '/v1/nothing', '/v1/agents/a/b/c']) {
    const { status, headers, body } = await service.ask(path, reader);
    expect([status, body.error]).toEqual([404, 'not_found']);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-correlation-id')).toBe(body.correlation_id);
  }
});

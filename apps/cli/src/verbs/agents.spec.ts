import type { Scope } from '@portcullis/scopes/scopes';
import type { Api, Query } from '../api.js';
import { ApiRefusal, NotDone } from '../faults.js';
import type { VerbPorts } from '../verb.js';
import { agentList } from './agent-list.js';
import { agentQuarantine } from './agent-quarantine.js';
import { agentRelease } from './agent-release.js';
import { agentShow } from './agent-show.js';

const ID = `agt_${'a'.repeat(26)}`;
const agent = {
  agent: ID,
  tenant: 'default',
  client_id: 'support-agent',
  state: 'Isolated',
  since: '2026-11-20T10:00:00.000Z',
  why: '5 denials within 60 s',
  denials: 5,
};
const detail = { ...agent, denials_last_minute: 5, a_person_may: ['Remediation'], transitions: [] };

function gate(state = 'Isolated', listed: unknown[] = [agent]) {
  const asked: unknown[] = [];
  const notes: string[] = [];
  let scopes: readonly Scope[] = [];
  const api: Api = {
    async get(path, query: Query = {}) {
      asked.push([path, query]);
      if (path === '/agents') return { items: listed, next_cursor: listed.length > 0 ? 'more' : null };
      if (path === '/agents/nobody') throw new ApiRefusal(404, 'The gate refused: No such agent.');
      return { ...detail, state };
    },
    async send(method, path, body) {
      asked.push([method, path, body]);
      return { ...agent, state: (body as { to: string }).to };
    },
  };
  const ports = {
    admin: async (_: string, asked: readonly Scope[]) => {
      scopes = asked;
      return api;
    },
    note: (line: string) => void notes.push(line),
  } as unknown as VerbPorts;
  return { ports, asked, notes, scopes: () => scopes };
}

test('agents are listed as they are, and what follows is said beside the list', async () => {
  const { ports, notes, scopes } = gate();
  expect((await agentList.run({ limit: 50 }, ports)).json).toEqual([agent]);
  expect(notes).toEqual(['There is more: add --cursor more']);
  expect(scopes()).toEqual(['security:read']);
});

test('another tenant is asked for with platform:admin, and only then', async () => {
  const { ports, asked, scopes } = gate();
  await agentList.run({ limit: 5, tenant: 'other' }, ports);
  expect(scopes()).toEqual(['security:read', 'platform:admin']);
  expect(asked).toEqual([['/agents', { limit: 5, cursor: undefined, tenant: 'other' }]]);
});

test.each<[string | undefined, RegExp]>([
  [undefined, /^No agent of your tenant has called yet\. .*demo.* audit tail --tenant TENANT/],
  ['drill-a', /^No agent is known in tenant drill-a\. .* audit tail --tenant drill-a$/],
])('an empty list of tenant %s says where to look, with the tenant', async (tenant, says) => {
  const { ports } = gate('Normal', []);
  const given = agentList.input.parse(tenant === undefined ? {} : { tenant });
  expect(await agentList.run(given, ports)).toEqual({ json: [], text: expect.stringMatching(says) });
});

test('an agent is shown by its id or by its client_id, whatever characters that has', async () => {
  const { ports, asked } = gate();
  expect((await agentShow.run({ agent: 'https://a.example/x?y' }, ports)).json).toEqual(detail);
  expect(asked).toEqual([['/agents/https%3A%2F%2Fa.example%2Fx%3Fy', { tenant: undefined }]]);
});

test.each([
  ['Isolated', 'Remediation'],
  ['Compromised', 'Remediation'],
  ['Remediation', 'Normal'],
  ['Investigation', 'Normal'],
])('release moves %s one step, to %s', async (from, to) => {
  const { ports, asked } = gate(from);
  const { json } = await agentRelease.run({ agent: 'support-agent', reason: 'looked into it' }, ports);
  expect(json).toMatchObject({ agent: ID, state: to });
  expect(asked.at(-1)).toEqual(['POST', `/agents/${ID}/transitions`, { to, reason: 'looked into it' }]);
});

test.each(['Normal', 'Monitoring', 'Suspicious'])('from %s there is nothing to release', async (state) => {
  const { ports, asked } = gate(state);
  await expect(agentRelease.run({ agent: ID, reason: 'x' }, ports)).rejects.toThrow(NotDone);
  expect(asked).toHaveLength(1);
});

test('quarantine isolates, with security:respond', async () => {
  const { ports, asked, scopes } = gate('Normal');
  expect((await agentQuarantine.run({ agent: ID, reason: 'leaked key' }, ports)).json).toMatchObject({
    state: 'Isolated',
  });
  expect(asked.at(-1)).toEqual(['POST', `/agents/${ID}/transitions`, { to: 'Isolated', reason: 'leaked key' }]);
  expect(scopes()).toEqual(['security:read', 'security:respond']);
});

test('an agent nobody has seen is the gate’s own sentence', async () => {
  await expect(agentShow.run({ agent: 'nobody' }, gate().ports)).rejects.toThrow('No such agent');
});

test.each([[undefined], [''], ['   ']])('a move with the reason %j is wrong use', (reason) => {
  for (const verb of [agentRelease, agentQuarantine]) {
    expect(verb.input.safeParse({ agent: ID, reason }).error?.issues[0]?.path).toEqual(['reason']);
  }
});

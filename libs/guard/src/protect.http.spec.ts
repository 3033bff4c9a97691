import type { Caller } from '@portcullis/scopes/caller';
import * as z from 'zod';
import { describeSettings, noteTool, type OfCallers, type Settings } from './protect.fixture.js';
import type { ProtectOptions } from './protect.wire.js';

/** Says who calls, as `depsFor` was told. */
const whoami = noteTool('whoami', {
  output: z.strictObject({ tenant: z.string(), task: z.string().optional() }),
  execute: (async (_input: unknown, { tenant, task }: Caller) => ({ tenant, task })) as never,
});
const WHOAMI: Partial<ProtectOptions> = { tools: [whoami], depsFor: (caller) => caller };
const INITIALIZE = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'spec', version: '1' } };

const SETTINGS: Settings<OfCallers> = {
  issuer: [
    'a token that another one signed is 401, though the key is known',
    async (gateWith) => {
      const { call } = await gateWith();
      const codes = [await call('read'), await call('read', {}, { claims: { iss: 'https://other.example' } })];
      expect(codes.map(({ status, code }) => [status, code])).toEqual([
        [200, undefined],
        [401, 'token_invalid'],
      ]);
    },
  ],
  resource: [
    'is the one audience of its tokens, the path that is served, and what the metadata names',
    async (gateWith, issuer) => {
      const { call, metadata, resource } = await gateWith();
      expect((await call('read')).status).toBe(200);
      expect((await call('read', {}, { claims: { aud: `${resource}/other` } })).code).toBe('token_invalid');
      expect((await metadata()).json).toMatchObject({ resource, authorization_servers: [issuer.url] });
    },
  ],
  tools: [
    'are listed in the order they are given in, and no other is served',
    async (gateWith) => {
      const { rpc, call } = await gateWith({ tools: [noteTool('zebra'), noteTool('ant')] });
      const { tools } = (await rpc('tools/list')).result as { tools: { name: string }[] };
      expect(tools.map(({ name }) => name)).toEqual(['zebra', 'ant']);
      expect((await call('read')).code).toBe('tool_unknown');
    },
  ],
  name: [
    'is what the server calls itself, to clients and in its metadata',
    async (gateWith) => {
      const { rpc, metadata } = await gateWith({ name: 'notebook' });
      expect((await rpc('initialize', INITIALIZE)).result).toMatchObject({ serverInfo: { name: 'notebook' } });
      expect((await metadata()).json).toMatchObject({ resource_name: 'notebook' });
    },
  ],
  version: [
    'is said beside the name',
    async (gateWith) => {
      const { rpc } = await gateWith({ version: '4.5.6' });
      expect((await rpc('initialize', INITIALIZE)).result).toMatchObject({ serverInfo: { version: '4.5.6' } });
    },
  ],
  instructions: [
    'are said to the client at once',
    async (gateWith) => {
      const { rpc } = await gateWith({ instructions: 'Read before you write.' });
      expect((await rpc('initialize', INITIALIZE)).result).toMatchObject({ instructions: 'Read before you write.' });
    },
  ],
  jwksUri: [
    'keys are taken from there, without a look at the metadata of the issuer',
    async (gateWith, issuer) => {
      const iss = `${issuer.url}/without-metadata`;
      const { call } = await gateWith({ issuer: iss, jwksUri: issuer.keys });
      expect((await call('read', {}, { claims: { iss } })).status).toBe(200);
    },
  ],
  claims: [
    'those of the house are read, and asked for, where the issuer is said to be one of it',
    async (gateWith) => {
      const { call } = await gateWith({ ...WHOAMI, claims: 'portcullis' });
      const claims = { tenant: 'acme', ceiling: 'notes:read', task: 'tsk_1' };
      expect((await call('whoami', {}, { claims })).result).toMatchObject({
        structuredContent: { tenant: 'acme', task: 'tsk_1' },
      });
      expect((await call('whoami')).code).toBe('token_invalid');
    },
  ],
  tenant: [
    'is that of every caller of a foreign issuer, whatever its tokens say of one, or of a task',
    async (gateWith) => {
      const { call } = await gateWith({ ...WHOAMI, tenant: 'team' });
      const claims = { tenant: 'acme', task: 'tsk_1' };
      expect((await call('whoami', {}, { claims })).result?.['structuredContent']).toEqual({ tenant: 'team' });
    },
  ],
  depsFor: [
    'is what a tool works with, by its caller and its call',
    async (gateWith) => {
      const { call } = await gateWith({
        tools: [
          noteTool('deps', {
            output: z.strictObject({ clientId: z.string(), aborted: z.boolean() }),
            execute: async (_input: unknown, deps: { clientId: string; aborted: boolean }) => deps,
          }),
        ],
        depsFor: ({ clientId }, { signal }) => ({ clientId, aborted: signal.aborted }),
      });
      expect((await call('deps')).result?.['structuredContent']).toEqual({ clientId: 'agent', aborted: false });
    },
  ],
  isRevoked: [
    'a token of which it says yes is 401 from then on',
    async (gateWith) => {
      const revoked = new Set<string>();
      const { call } = await gateWith({ isRevoked: ({ tokenId }) => revoked.has(tokenId) });
      expect((await call('read')).status).toBe(200);
      revoked.add('one');
      expect(await call('read')).toMatchObject({ status: 401, code: 'token_invalid' });
    },
  ],
  stateOf: [
    'a caller that it says is isolated is 403 from then on',
    async (gateWith) => {
      let state: 'Normal' | 'Isolated' = 'Normal';
      const { call } = await gateWith({ stateOf: () => state });
      expect((await call('read')).status).toBe(200);
      state = 'Isolated';
      expect(await call('read')).toMatchObject({ status: 403, code: 'quarantined' });
    },
  ],
  now: [
    'is the clock that tokens expire by',
    async (gateWith) => {
      let ahead = 0;
      const { call } = await gateWith({ now: () => Date.now() + ahead });
      expect((await call('read')).status).toBe(200);
      ahead = 11 * 60_000;
      expect((await call('read', {}, { claims: { iat: 1, exp: Math.floor(Date.now() / 1000) + 600 } })).status).toBe(
        401,
      );
    },
  ],
};

describeSettings(SETTINGS);

import { principalId } from '@portcullis/contract/ids';
import type { Grants } from './grants.js';

const NOW = Date.UTC(2026, 0, 1);
export interface GrantToKeep {
  readonly tenant: string;
  readonly grantId: string;
  readonly clientId: string;
  readonly sub: string;
  /** as oidc-provider keeps it */
  readonly payload: object;
  readonly expiresAt: number;
}

/**
 * What every view of the grants does.
 * @param open `keep` puts a grant where oidc-provider would, with its client
 */
export function grantsContract(
  open: () => Promise<{ grants: Grants; keep: (grant: GrantToKeep) => Promise<void> }>,
): void {
  let grants: Grants;
  const any = { clientId: undefined, sub: undefined };
  const all = { limit: 10, after: undefined };
  const iat = NOW / 1000 - 60;
  const kept = (
    tenant: string,
    grantId: string,
    clientId: string,
    sub: string,
    expiresAt = NOW + 1000,
  ): GrantToKeep => ({
    ...{ tenant, grantId, clientId, sub, expiresAt },
    payload: { iat, resources: { 'https://api.example/mcp': 'customer:read ticket:read' } },
  });
  beforeAll(async () => {
    const made = await open();
    grants = made.grants;
    for (const one of [
      kept('g1', 'g1-b', 'g1-web', 'usr_g1_sam'),
      kept('g1', 'g1-a', 'g1-web', 'usr_g1_kim'),
      kept('g1', 'g1-c', 'g1-cli', 'usr_g1_sam'),
      kept('g1', 'g1-x', 'g1-cli', 'usr_g1_sam', NOW),
      kept('g2', 'g2-a', 'g2-web', 'usr_g1_sam'),
    ]) {
      await made.keep(one);
    }
  }, 60_000);
  const ids = async (tenant: string, filter = {}, page = all) =>
    (await grants.list(tenant, { ...any, ...filter }, page, NOW)).items.map(({ grantId }) => grantId);

  test('a grant says who gave what to whom, and until when', async () => {
    expect(await grants.byId('g1', 'g1-a', NOW)).toEqual({
      tenant: 'g1',
      grantId: 'g1-a',
      clientId: 'g1-web',
      sub: 'usr_g1_kim',
      resources: { 'https://api.example/mcp': 'customer:read ticket:read' },
      createdAt: NOW - 60_000,
      expiresAt: NOW + 1000,
    });
  });

  test('an agent is found by its principal id, in its own tenant', async () => {
    expect(await grants.agent('g1', principalId('g1', 'g1-web', 'usr_g1_kim'))).toEqual({
      clientId: 'g1-web',
      sub: 'usr_g1_kim',
    });
    expect(await grants.agent('g1', principalId('g1', 'g1-cli'))).toEqual({ clientId: 'g1-cli' });
    expect(await grants.agent('g2', principalId('g1', 'g1-cli'))).toBeUndefined();
    expect(await grants.agent('g1', principalId('g1', 'g1-web', 'usr_nobody'))).toBeUndefined();
  });

  test('a list goes through all of a tenant once, in order, page by page, without what has expired', async () => {
    const first = await grants.list('g1', any, { limit: 2, after: undefined }, NOW);
    const second = await grants.list('g1', any, { limit: 2, after: first.next }, NOW);
    expect([first, second].map(({ items }) => items.map(({ grantId }) => grantId))).toEqual([
      ['g1-a', 'g1-b'],
      ['g1-c'],
    ]);
    expect(second.next).toBeUndefined();
    expect(await grants.byId('g1', 'g1-x', NOW)).toBeUndefined();
  });

  test('it can be of one client, of one person, or of both', async () => {
    expect(await ids('g1', { clientId: 'g1-web' })).toEqual(['g1-a', 'g1-b']);
    expect(await ids('g1', { sub: 'usr_g1_sam' })).toEqual(['g1-b', 'g1-c']);
    expect(await ids('g1', { clientId: 'g1-web', sub: 'usr_g1_sam' })).toEqual(['g1-b']);
  });

  test('what is of another tenant is to this one what is of nobody', async () => {
    expect(await grants.byId('g2', 'g1-a', NOW)).toEqual(await grants.byId('g2', 'unknown', NOW));
    expect(await ids('g2', { clientId: 'g1-web' })).toEqual([]);
    expect(await ids('g2', { sub: 'usr_g1_sam' })).toEqual(['g2-a']);
  });
}

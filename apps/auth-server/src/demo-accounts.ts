import { base32, DEFAULT_TENANT } from '@portcullis/contract/ids';
import type { SecretHashKey } from './client-secret.js';
import type { Clients } from './clients.js';
import { DEMO_CLIENTS, demoClientRecord, type DemoAccounts, type DemoClientName } from './demo.js';
import { hashPassword, passwordMatches, SALT_BYTES } from './password.js';
import { USERNAME, usernameOf, type Users } from './users.js';

export interface DemoPorts {
  readonly clients: Clients;
  readonly users: Users;
  /** the present SECRET_HASH_KEY */
  readonly secretHashKey: SecretHashKey;
  /** ms since epoch */
  now(): number;
  randomBytes(count: number): Uint8Array;
}

/** Brings clients and users to what demo.json says. Safe to run at every start; ids stay. */
export async function putDemoAccounts(accounts: DemoAccounts, ports: DemoPorts): Promise<void> {
  const { clients, users, secretHashKey, now, randomBytes } = ports;
  for (const name of Object.keys(DEMO_CLIENTS) as DemoClientName[]) {
    await clients.put(DEFAULT_TENANT, demoClientRecord(name, accounts.clients[name], secretHashKey, now()));
  }
  for (const { username: typed, password, roles } of accounts.users) {
    const username = usernameOf(typed);
    if (!USERNAME.test(username)) throw new Error(`demo.json: ${JSON.stringify(typed)} is no user name`);
    const known = await users.byName(DEFAULT_TENANT, username);
    const unchanged = known !== undefined && (await passwordMatches(password, known.passwordHash));
    await users.put(DEFAULT_TENANT, {
      tenant: DEFAULT_TENANT,
      userId: known?.userId ?? `usr_${base32(randomBytes(16))}`,
      username,
      passwordHash: unchanged ? known.passwordHash : await hashPassword(password, randomBytes(SALT_BYTES)),
      roles,
      demo: true,
      disabled: false,
      createdAt: now(),
      version: 1,
    });
  }
}

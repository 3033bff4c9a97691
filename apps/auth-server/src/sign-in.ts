import { passwordMatches } from './password.js';
import { USERNAME, usernameOf, type UserRecord, type Users } from './users.js';

export interface SignInPorts {
  readonly users: Users;
  /** hash of a password that nobody has, of the same cost as everybody's */
  readonly nobodysHash: string;
  /** compares with a hash, at the cost that the hash names; argon2id unless a test counts how often */
  readonly matches?: (password: string, hash: string) => Promise<boolean>;
}

/** The same words whatever was wrong, so that nobody learns who has an account. */
export const SIGN_IN_FAILED = 'The user name or password is wrong.';

/**
 * @param tenant of the client that the person signs in for; people of other tenants are unknown here
 * @returns the person, or, for our audit only, whose password was wrong
 */
export async function signIn(
  { users, nobodysHash, matches = passwordMatches }: SignInPorts,
  tenant: string,
  username: string,
  password: string,
): Promise<{ readonly ok: true; readonly user: UserRecord } | { readonly ok: false; readonly sub?: string }> {
  const name = usernameOf(username);
  const user = USERNAME.test(name) ? await users.byName(tenant, name) : undefined;
  // unknown people cost the same time as known ones
  const fits = await matches(password, user?.passwordHash ?? nobodysHash);
  if (user === undefined) return { ok: false };
  return fits && !user.disabled ? { ok: true, user } : { ok: false, sub: user.userId };
}

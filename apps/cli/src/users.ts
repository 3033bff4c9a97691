import * as z from 'zod';
import { pageOf, type Api } from './api.js';
import { NotDone } from './faults.js';
import type { Column } from './table.js';

/** A person who may sign in; nobody can read their password. */
export const userRow = z.object({
  user_id: z.string(),
  tenant: z.string(),
  username: z.string(),
  roles: z.array(z.string()),
  disabled: z.boolean(),
  /** RFC 3339 */
  created_at: z.string(),
});
export type User = z.output<typeof userRow>;

export const userColumns: readonly Column<User>[] = [
  { head: 'user', of: ({ user_id }) => user_id },
  { head: 'tenant', of: ({ tenant }) => tenant },
  { head: 'username', of: ({ username }) => username },
  { head: 'roles', of: ({ roles }) => roles },
  { head: 'disabled', of: ({ disabled }) => (disabled ? 'disabled' : undefined) },
  { head: 'since', of: ({ created_at }) => created_at },
];

const USER_ID = /^usr_[a-z2-7]{26}$/;

/**
 * The id of a user that a word names: the id itself, or the username in whatever case.
 * @throws NotDone when nobody is called so
 */
export async function userIdOf(authAdmin: Api, word: string, tenant: string | undefined): Promise<string> {
  if (USER_ID.test(word)) return word;
  const wanted = word.trim().toLowerCase();
  let cursor: string | undefined;
  do {
    const { items, next } = pageOf(userRow, await authAdmin.get('/users', { tenant, limit: 200, cursor }));
    const found = items.find(({ username }) => username === wanted);
    if (found) return found.user_id;
    cursor = next ?? undefined;
  } while (cursor !== undefined);
  throw new NotDone(`There is no user ${word}. See portcullis user list.`);
}

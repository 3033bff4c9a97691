import { ROLES, type Role } from '@portcullis/scopes/roles';
import * as z from 'zod';
import { tenantName } from './admin-clients.js';
import { USERNAME, usernameOf, type UserRecord } from './users.js';

/** NIST SP 800-63B-4 §3.1.1.2 wants 15 characters where the password is all there is. */
const password = z.string().min(15).max(256);

/** Body of POST /admin/v1/users. Without a password one is made and answered once. */
export const newUserBody = z.strictObject({
  username: z
    .string()
    .transform(usernameOf)
    .pipe(z.string().regex(USERNAME, 'must be 1 to 64 of a-z, 0-9, . _ @ and -')),
  password: password.optional(),
  roles: z
    .array(z.enum(Object.keys(ROLES) as [Role, ...Role[]]))
    .min(1)
    .max(10),
  tenant: tenantName.optional(),
});

/** A user as the API shows them. */
export const userView = (user: UserRecord) => ({
  user_id: user.userId,
  tenant: user.tenant,
  username: user.username,
  roles: user.roles,
  disabled: user.disabled,
  created_at: new Date(user.createdAt).toISOString(),
});

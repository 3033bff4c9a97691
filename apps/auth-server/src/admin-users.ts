import { ROLES, type Role } from '@portcullis/scopes/roles';
import * as z from 'zod';
import { tenantName } from './admin-clients.js';
import { USERNAME, usernameOf, type UserChange, type UserRecord } from './users.js';

/** NIST SP 800-63B-4 §3.1.1.2 wants 15 characters where the password is all there is. */
export const newPassword = z.string().min(15).max(256);

const roles = z
  .array(z.enum(Object.keys(ROLES) as [Role, ...Role[]]))
  .min(1)
  .max(10);

/** Body of POST /admin/v1/users. Without a password one is made and answered once. */
export const newUserBody = z.strictObject({
  username: z
    .string()
    .transform(usernameOf)
    .pipe(z.string().regex(USERNAME, 'must be 1 to 64 of a-z, 0-9, . _ @ and -')),
  password: newPassword.optional(),
  roles,
  tenant: tenantName.optional(),
});

/** Body of PATCH /admin/v1/users/:user_id. */
export const userChangeBody = z
  .strictObject({ roles: roles.optional(), disabled: z.boolean().optional() })
  .refine((change) => Object.keys(change).length > 0, 'names nothing to change')
  .transform((change): UserChange =>
    // only what was named is there
    Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)),
  );

/** Body of POST /admin/v1/users/:user_id/password. Without a password one is made and answered once. */
export const newPasswordBody = z.strictObject({ password: newPassword.optional() });

/** What the first administrator chooses; the messages are for people. */
export const newFirstAdministrator = z
  .strictObject({
    username: z
      .string('Fill in the user name.')
      .transform(usernameOf)
      .pipe(z.string().regex(USERNAME, 'A user name has 1 to 64 of a-z, 0-9, . _ @ and -.')),
    password: z
      .string('Fill in the password.')
      .min(15, 'The password needs 15 characters at least.')
      .max(256, 'The password has 256 characters at most.'),
    again: z.unknown(),
  })
  .refine(({ password, again }) => password === again, 'The two passwords differ.');

/** A user as the API shows them. */
export const userView = (user: UserRecord) => ({
  user_id: user.userId,
  tenant: user.tenant,
  username: user.username,
  roles: user.roles,
  disabled: user.disabled,
  created_at: new Date(user.createdAt).toISOString(),
});

import { RESOURCES, type ResourceName } from '@portcullis/scopes/resources';
import { mostInTask, TASK_HOURS } from '@portcullis/scopes/customer-budgets';
import { isScope, SCOPES, type Scope } from '@portcullis/scopes/scopes';
import * as z from 'zod';
import { expectShape } from '../api.js';
import { AUTH_METHODS, publicKeysIn } from '../clients.js';
import { acrossTenants, defineVerb, tenantInput, tenantOption } from '../verb.js';

const budget = z.coerce
  .number('takes a number')
  .int('takes a whole number')
  .min(1, 'takes 1 to 10000')
  .max(10_000, 'takes 1 to 10000')
  .optional();
const RESOURCE_NAMES = Object.keys(RESOURCES) as ResourceName[];
const created = z.object({ client_id: z.string(), client_secret: z.string().optional() });

/** Scopes may be given one by one or as one list, separated by blanks or commas. */
const ceiling = z
  .array(z.string(), 'is missing: name what the client may ever be granted; see portcullis scopes')
  .transform((given) => given.flatMap((list) => list.split(/[\s,]+/).filter(Boolean)))
  .pipe(
    z
      .array(
        z.custom<Scope>((word) => isScope(String(word)), {
          error: ({ input }) => `names ${JSON.stringify(input)}, which is no scope; see portcullis scopes`,
        }),
      )
      .min(1, 'is empty'),
  );

/** Scopes of people and services in a ceiling are the platform administrator's to give. */
const isForClients = (scope: Scope): boolean => SCOPES[scope].holder === 'client';
const isForServices = (scope: Scope): boolean => SCOPES[scope].holder === 'service';
const isForPeople = (redirectUri: readonly string[], authMethod: string): boolean =>
  redirectUri.length > 0 || authMethod === 'none';

export const clientAdd = defineVerb({
  name: 'client add',
  says: 'registers a client; its secret is shown once, here',
  argument: { name: 'name', says: 'what people will see, such as "support agent"' },
  options: [
    { flags: '--scope <scopes>', says: 'its ceiling, such as "customer:read ticket:read"', repeated: true },
    {
      flags: '--auth-method <method>',
      says: 'how it proves itself (default client_secret_basic)',
      choices: AUTH_METHODS,
    },
    { flags: '--jwks <file>', says: 'its public key (P-256, Ed25519 or RSA), for private_key_jwt' },
    { flags: '--jwks-uri <url>', says: 'where it serves its public keys instead, an https URL' },
    {
      flags: '--redirect-uri <uri>',
      says: 'where a person comes back to, for clients that act for people',
      repeated: true,
    },
    { flags: '--bearer', says: 'plain bearer tokens, which whoever holds them can use (default for machines: DPoP)' },
    {
      flags: '--introspects <resource>',
      says: 'it serves this API, and may introspect tokens for it (RFC 7662)',
      choices: RESOURCE_NAMES,
    },
    { flags: '--customers-per-task <n>', says: 'how many distinct customers one task of it may touch (default 10)' },
    { flags: '--customers-per-hour <n>', says: 'and all its tasks in an hour (default 60)' },
    { flags: '--all-tenants', says: 'it is a service of the platform that acts on every tenant (service scopes only)' },
    { flags: '--require-par', says: 'it must push its authorization requests (RFC 9126)' },
    tenantOption,
  ],
  input: z
    .object({
      name: z.string().trim().min(1, 'is empty').max(100, 'takes at most 100 characters'),
      scope: ceiling,
      authMethod: z.enum(AUTH_METHODS).default('client_secret_basic'),
      jwks: z.string().optional(),
      jwksUri: z.url({ protocol: /^https$/, error: 'must be an https URL' }).optional(),
      redirectUri: z.array(z.string()).default([]),
      bearer: z.literal(true).optional(),
      requirePar: z.literal(true).optional(),
      introspects: z.enum(RESOURCE_NAMES).optional(),
      customersPerTask: budget,
      customersPerHour: budget,
      allTenants: z.literal(true).optional(),
      ...tenantInput,
    })
    .refine(({ allTenants, redirectUri, authMethod }) => !allTenants || !isForPeople(redirectUri, authMethod), {
      path: ['allTenants'],
      message: 'is for services: no --redirect-uri, and an --auth-method other than none',
    })
    .refine(({ allTenants, scope }) => !allTenants || scope.every(isForServices), {
      path: ['allTenants'],
      message: 'is for scopes of services only, such as limits:decide; see portcullis scopes',
    })
    .refine(({ authMethod, jwks, jwksUri }) => authMethod !== 'private_key_jwt' || (jwks ?? jwksUri) !== undefined, {
      path: ['jwks'],
      message: 'is needed with --auth-method private_key_jwt: a file with the public key (or --jwks-uri)',
    })
    .refine(({ jwks, jwksUri }) => jwks === undefined || jwksUri === undefined, {
      path: ['jwksUri'],
      message: 'goes without --jwks: the keys are in one place',
    })
    .superRefine(({ redirectUri, authMethod, customersPerTask: perTask, customersPerHour: perHour }, context) => {
      const whose = isForPeople(redirectUri, authMethod) ? 'person' : 'machine';
      const most = mostInTask(whose, perHour);
      if (perTask === undefined || perTask <= most) return;
      const hour = perHour === undefined ? 'the default of --customers-per-hour' : `--customers-per-hour ${perHour}`;
      context.addIssue({
        code: 'custom',
        path: ['customersPerTask'],
        message: `can never be reached: a task of this client lasts at most ${TASK_HOURS[whose]} h, in which ${hour} makes ${most}. Lower it, or raise --customers-per-hour`,
      });
    }),
  run: async (given, ports) => {
    const { name, scope, authMethod, jwks, jwksUri, redirectUri, bearer, requirePar, introspects, tenant } = given;
    const { customersPerTask, customersPerHour, allTenants } = given;
    const wish = {
      name,
      auth_method: authMethod,
      scopes: scope,
      redirect_uris: redirectUri,
      ...(bearer && { dpop_bound_access_tokens: false }),
      ...(requirePar && { require_pushed_authorization_requests: true }),
      ...(introspects !== undefined && { introspects }),
      ...(customersPerTask !== undefined && { customers_per_task: customersPerTask }),
      ...(customersPerHour !== undefined && { customers_per_hour: customersPerHour }),
      ...(allTenants && { all_tenants: true }),
      ...(tenant !== undefined && { tenant }),
      ...(jwksUri !== undefined && { jwks_uri: jwksUri }),
      ...(jwks !== undefined && { jwks: publicKeysIn(await ports.fileText(jwks), jwks) }),
    };
    const beyond: readonly Scope[] = scope.every(isForClients) ? acrossTenants(tenant) : ['platform:admin'];
    const authAdmin = await ports.admin('authAdmin', ['admin:clients', ...beyond]);
    const client = expectShape(created, await authAdmin.send('POST', '/clients', wish));
    const secret = client.client_secret === undefined ? [] : [`client_secret  ${client.client_secret}`];
    if (secret.length > 0) ports.note('The secret is shown this once: keep it where the client finds it.');
    return { json: client, text: [`client_id      ${client.client_id}`, ...secret].join('\n') };
  },
});

import { RESOURCES, type ResourceName } from '@portcullis/scopes/resources';
import { ROLES, type Role } from '@portcullis/scopes/roles';
import { SCOPES, type Scope } from '@portcullis/scopes/scopes';
import * as z from 'zod';
import { table } from '../table.js';
import { defineVerb } from '../verb.js';

const rows = (Object.keys(SCOPES) as Scope[]).map((scope) => {
  const { says, passive, covers, holder } = SCOPES[scope];
  return {
    scope,
    says,
    holder,
    /** granted when a request names no scope */
    passive,
    covers,
    apis: namesWith(RESOURCES as Record<ResourceName, readonly Scope[]>, scope),
    roles: namesWith(ROLES as Record<Role, readonly Scope[]>, scope),
  };
});

function namesWith<Name extends string>(sets: Record<Name, readonly Scope[]>, scope: Scope): Name[] {
  return (Object.keys(sets) as Name[]).filter((name) => sets[name].includes(scope));
}

export const scopes = defineVerb({
  name: 'scopes',
  says: 'every scope: what it allows, who may hold it, at which API it counts',
  options: [],
  input: z.object({}),
  run: async () => ({
    json: rows,
    text: table(
      [
        { head: 'scope', of: ({ scope }) => scope },
        { head: 'allows', of: ({ says }) => says },
        { head: 'held by', of: ({ holder }) => holder },
        { head: 'by default', of: ({ passive }) => (passive ? 'yes' : 'no') },
        { head: 'covers', of: ({ covers }) => covers },
        { head: 'api', of: ({ apis }) => apis },
        { head: 'roles', of: ({ roles }) => roles },
      ],
      rows,
    ),
  }),
});

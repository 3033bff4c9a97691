import type { AnyTool } from '@portcullis/guard/tool';
import type { Caller } from '@portcullis/scopes/caller';
import { missingScopes } from '@portcullis/scopes/scopes';
import { readCustomer } from './tools/get-customer-info.js';

/** What can be read by URI. A read passes the guard like a call of the tool behind it. */
const TEMPLATES = [
  {
    uriTemplate: 'customer://{customer_id}',
    name: 'customer',
    title: 'Customer',
    description: 'One customer by id. Needs the scope customer:read.',
    mimeType: 'application/json',
    tool: readCustomer as AnyTool,
    pattern: /^customer:\/\/([A-Z0-9]{5,10})$/,
    argument: 'customer_id',
  },
] as const;

/** The tool behind a URI, its arguments, and the template that the URI fits. */
export function resourceAt(
  uri: string,
): { tool: AnyTool; args: Readonly<Record<string, unknown>>; uriTemplate: string } | undefined {
  for (const { pattern, tool, argument, uriTemplate } of TEMPLATES) {
    const value = pattern.exec(uri)?.[1];
    if (value !== undefined) return { tool, args: { [argument]: value }, uriTemplate };
  }
  return undefined;
}

/** The templates a caller could ever be granted to read by, as `resources/templates/list` shows them. */
export const templatesFor = ({ ceiling }: Pick<Caller, 'ceiling'>) =>
  TEMPLATES.filter(({ tool }) => missingScopes(ceiling, tool.scopes).length === 0).map(
    ({ uriTemplate, name, title, description, mimeType }) => ({ uriTemplate, name, title, description, mimeType }),
  );

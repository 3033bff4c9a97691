import type { Caller } from '@portcullis/scopes/caller';
import { beyondCeiling } from '@portcullis/scopes/scopes';
import type { AnyTool } from '../tool.js';

/** What can be read by URI. A read passes the guard like a call of the tool behind it. */
export interface ResourceTemplate {
  /** RFC 6570, with one variable, or the URI itself where there is no `argument` */
  readonly uriTemplate: string;
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly mimeType: string;
  readonly tool: AnyTool;
  /** the URIs that fit; its first group is the variable */
  readonly pattern: RegExp;
  /** the tool's argument that the variable becomes; without one this is one resource and no template */
  readonly argument?: string;
}

/** The template that a URI fits, and the arguments it says. */
export function resourceAt(
  templates: readonly ResourceTemplate[],
  uri: string,
): { readonly template: ResourceTemplate; readonly args: Readonly<Record<string, unknown>> } | undefined {
  for (const template of templates) {
    const fits = template.pattern.exec(uri);
    if (fits === null) continue;
    if (template.argument === undefined) return { template, args: {} };
    if (fits[1] !== undefined) return { template, args: { [template.argument]: fits[1] } };
  }
  return undefined;
}

/** The templates a caller could ever be granted to read by, as `resources/templates/list` shows them. */
export const templatesFor = (templates: readonly ResourceTemplate[], { ceiling }: Pick<Caller, 'ceiling'>) =>
  templates
    .filter(({ argument, tool }) => argument !== undefined && beyondCeiling(ceiling, tool.scopes).length === 0)
    .map(({ uriTemplate, name, title, description, mimeType }) => ({
      uriTemplate,
      name,
      title,
      description,
      mimeType,
    }));

/** The resources a caller could ever be granted to read, as `resources/list` shows them. */
export const resourcesFor = (templates: readonly ResourceTemplate[], { ceiling }: Pick<Caller, 'ceiling'>) =>
  templates
    .filter(({ argument, tool }) => argument === undefined && beyondCeiling(ceiling, tool.scopes).length === 0)
    .map(({ uriTemplate: uri, name, title, description, mimeType }) => ({ uri, name, title, description, mimeType }));

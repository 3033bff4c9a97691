import { Refusal } from '@portcullis/contract/refusals';
import type { Operation } from '../call.js';
import type { AnyTool } from '../tool.js';
import { broughtApproval } from './approval-exchange.js';
import { isObject } from './envelope.js';
import type { Message } from './message.js';
import { isServed, METHODS, type Methods } from './protocol.js';
import { printable } from '@portcullis/validators/text';
import { resourceAt, type ResourceTemplate } from './resources.js';

/**
 * What a message asks for. A notification asks for nothing, whatever its method says: nobody would hear the answer.
 * @throws Refusal method_unknown, params_invalid, tool_unknown, resource_unknown
 */
export function operationOf(
  message: Message,
  tools: ReadonlyMap<string, AnyTool>,
  resources: readonly ResourceTemplate[],
  methods: Methods = METHODS,
): Operation {
  const { id, method, params, era } = message;
  if (id === undefined) return { kind: 'other', method };
  if (!isServed(methods, method, era)) throw new Refusal('method_unknown');
  if (method === 'tools/call') return toolCall(message, tools);
  if (method === 'resources/read') return resourceRead(params, resources);
  return { kind: 'other', method };
}

function toolCall({ era, params }: Pick<Message, 'era' | 'params'>, tools: ReadonlyMap<string, AnyTool>): Operation {
  const { name, arguments: args } = params;
  if (typeof name !== 'string') throw new Refusal('params_invalid', { issues: ['name: must be a string'] });
  if (args !== undefined && !isObject(args)) {
    throw new Refusal('params_invalid', { issues: ['arguments: must be an object'] });
  }
  const tool = tools.get(name);
  if (tool === undefined) throw new Refusal('tool_unknown');
  const call = { kind: 'tool', method: 'tools/call', tool, args: args ?? {} } as const;
  return tool.approvals === undefined ? call : { ...call, approval: broughtApproval(params, era) };
}

function resourceRead({ uri }: Message['params'], resources: readonly ResourceTemplate[]): Operation {
  if (typeof uri !== 'string') throw new Refusal('params_invalid', { issues: ['uri: must be a string'] });
  const found = resourceAt(resources, uri);
  if (found === undefined) throw new Refusal('resource_unknown', { uri: printable(uri, 2048) ?? '' });
  const { template, args } = found;
  return { kind: 'resource', method: 'resources/read', uri, template: template.uriTemplate, tool: template.tool, args };
}

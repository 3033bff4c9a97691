import { expectApprovers } from '../approval.js';
import type { GuardPorts } from '../pipeline.js';
import type { AnyTool } from '../tool.js';
import { expectParamHeaders } from './param-headers.js';

/**
 * What can be known of tools at the start is found there, rather than when one was executed.
 * @throws Error for a tool that wants an approval nobody could give; TypeError for an output that could not be redacted, or
 *   an x-mcp-header that is no name of a header
 */
export function expectServable(
  tools: ReadonlyMap<string, AnyTool>,
  { approval, redact }: Pick<GuardPorts, 'approval' | 'redact'>,
): void {
  expectApprovers(tools, approval);
  expectParamHeaders(tools);
  for (const { name, output } of tools.values()) {
    try {
      redact(output, undefined);
    } catch (cause) {
      throw new TypeError(`the output of ${name} cannot be looked through: ${(cause as Error).message}`, { cause });
    }
  }
}

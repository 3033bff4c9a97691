import { RESOURCES } from '@portcullis/scopes/resources';
import { person, refusalIn, withApproval } from './approvals.fixture.js';
import { call, type Rig, type TokenWords } from './rig.fixture.js';

let agents = 0;

/**
 * Calls tools as one new agent after the other, with every scope and a fresh login unless said otherwise; what people have
 * to approve, two people approve.
 */
export function asking(rig: Rig) {
  const asked = async (name: string, args: unknown, words: TokenWords = {}) => {
    const claims = { sub: 'person', auth_time: Math.floor(Date.now() / 1000) };
    const agent = { client: `asking-${++agents}`, scope: RESOURCES.mcp.join(' '), claims, ...words };
    let got = await rig.post(call(name, args), agent);
    const { approval, approvalUrl } = refusalIn(got);
    if (approvalUrl !== undefined) {
      for (const who of ['rita', 'ron']) await person(rig, who, words).decide(String(approvalUrl));
      got = await rig.post(withApproval(approval, name, args), agent);
    }
    return got.json.result ?? got.json;
  };
  return {
    asked,
    /** the structured content of a call that is served */
    output: async (name: string, args: unknown, words?: TokenWords) =>
      (await asked(name, args, words)).structuredContent,
    /** what a tool result that refuses says to programs; undefined of a call that is served */
    refusal: async (name: string, args: unknown, words?: TokenWords) => {
      const { isError, _meta } = await asked(name, args, words);
      return isError === true ? _meta['portcullis/refusal'] : undefined;
    },
  };
}

import { hkdfSync } from 'node:crypto';
import { createRequestStateCodec, type RequestStateCodec, type ServerContext } from '@modelcontextprotocol/server';
import { APPROVAL_MS, isApprovalId } from '../approvals.js';
import type { ApprovalStates } from '../approval.js';

/*
 * The `requestState` that a client carries from the answer that asks for an approval to the repeated call, sealed and
 * opened. It names a record, and is no yes.
 */

interface Sealed {
  readonly approval: string;
}

/**
 * The `requestState` of calls that wait for approval, signed by the SDK's own codec and bound to what it is asked to be
 * bound to. It says nothing that the client does not know.
 * @param keys the present STATE_KEY and, while it is being rotated, the one before; 32 bytes each
 */
export function approvalStates(keys: readonly Uint8Array[]): ApprovalStates {
  const codecs = keys.map(codecOf);
  return {
    seal: (id, binding) => codecs[0]!.mint({ approval: id }, contextOf(binding)),
    async open(state, binding) {
      let expired = false;
      for (const codec of codecs) {
        try {
          const { approval } = await codec.verify(state, contextOf(binding));
          return isApprovalId(approval) ? approval : 'forged';
        } catch (error) {
          expired ||= error instanceof Error && error.message === 'expired';
        }
      }
      return expired ? 'expired' : 'forged';
    },
  };
}

const codecOf = (key: Uint8Array): RequestStateCodec<Sealed> =>
  createRequestStateCodec<Sealed>({
    key: new Uint8Array(hkdfSync('sha256', key, new Uint8Array(0), 'portcullis/request-state', 32)),
    ttlSeconds: APPROVAL_MS / 1000,
    bind: (context) => (context as unknown as { binding: string }).binding,
  });

/** The codec binds to words of a request; all of them are in `binding` here, and nothing else of a context is looked at. */
const contextOf = (binding: string): ServerContext => ({ binding }) as unknown as ServerContext;

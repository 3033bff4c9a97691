import type { CredentialChecks, FailureBudget } from './credentials.js';
import type { ProofChecks } from './dpop.js';
import { memoryFailureBudget } from './failure-budget.memory.js';
import { memoryProofChecks } from './proof-checks.memory.js';
import { memoryTokenCache } from './token-cache.memory.js';
import type { TokenRules } from './token.js';

/**
 * All that saying who calls remembers, in the memory of this process.
 * @param shared what several APIs of one service have in common; their tokens are for one each
 */
export const memoryCredentialChecks = (
  rules: TokenRules,
  shared: { readonly failures?: FailureBudget; readonly proofs?: ProofChecks } = {},
): CredentialChecks => ({
  tokens: memoryTokenCache(rules),
  failures: shared.failures ?? memoryFailureBudget(rules.now),
  proofs: shared.proofs ?? memoryProofChecks(rules.now),
});

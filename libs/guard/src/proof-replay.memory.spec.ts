import { PROOF_REPLAY_BOUNDS } from './proof-replay.js';
import { describeProofReplay } from './proof-replay.contract.js';
import { memoryProofReplay } from './proof-replay.memory.js';

describeProofReplay('in memory', memoryProofReplay);

test('a principal has ten thousand ids in the window, and all together a million', () => {
  expect(PROOF_REPLAY_BOUNDS).toEqual({ perPrincipal: 10_000, inAll: 1_000_000 });
});

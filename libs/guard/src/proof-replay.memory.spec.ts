import { describeProofReplay } from './proof-replay.contract.js';
import { memoryProofReplay } from './proof-replay.memory.js';

describeProofReplay('in memory', memoryProofReplay);

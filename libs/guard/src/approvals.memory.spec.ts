import { describeApprovals } from './approvals.contract.js';
import { memoryApprovals } from './approvals.memory.js';

describeApprovals('in memory', memoryApprovals);

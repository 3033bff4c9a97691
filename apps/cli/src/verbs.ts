import type { AnyVerb } from './verb.js';
import { agentList } from './verbs/agent-list.js';
import { agentQuarantine } from './verbs/agent-quarantine.js';
import { agentRelease } from './verbs/agent-release.js';
import { agentShow } from './verbs/agent-show.js';
import { auditTail } from './verbs/audit-tail.js';
import { bootstrap } from './verbs/bootstrap.js';
import { clientAdd } from './verbs/client-add.js';
import { clientDisable, clientEnable } from './verbs/client-disable.js';
import { clientList } from './verbs/client-list.js';
import { clientRemove } from './verbs/client-remove.js';
import { clientRotate } from './verbs/client-rotate.js';
import { clientShow } from './verbs/client-show.js';
import { completionOf } from './verbs/completion.js';
import { config } from './verbs/config.js';
import { deadLettersList } from './verbs/dead-letters-list.js';
import { deadLettersReplay } from './verbs/dead-letters-replay.js';
import { demo } from './verbs/demo.js';
import { doctor } from './verbs/doctor.js';
import { keysList } from './verbs/keys-list.js';
import { keysRotate } from './verbs/keys-rotate.js';
import { pinsApprove } from './verbs/pins-approve.js';
import { pinsDiff } from './verbs/pins-diff.js';
import { pinsList } from './verbs/pins-list.js';
import { scopes } from './verbs/scopes.js';
import { tokenRevoke } from './verbs/token-revoke.js';
import { userAdd } from './verbs/user-add.js';
import { userDisable, userEnable } from './verbs/user-disable.js';
import { userList } from './verbs/user-list.js';
import { userRemove } from './verbs/user-remove.js';
import { userReset } from './verbs/user-reset.js';

const WORKING: readonly AnyVerb[] = [
  demo,
  bootstrap,
  clientAdd,
  clientList,
  clientShow,
  clientRotate,
  clientDisable,
  clientEnable,
  clientRemove,
  userAdd,
  userList,
  userDisable,
  userEnable,
  userReset,
  userRemove,
  agentList,
  agentShow,
  agentQuarantine,
  agentRelease,
  tokenRevoke,
  keysList,
  keysRotate,
  pinsList,
  pinsDiff,
  pinsApprove,
  scopes,
  auditTail,
  deadLettersList,
  deadLettersReplay,
  config,
  doctor,
];

/** Every verb of this version, in the order of help. */
export const VERBS: readonly AnyVerb[] = [...WORKING, completionOf(WORKING)];

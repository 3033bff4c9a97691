import { keyBytes } from '@portcullis/service/key-text';
import { algorithmsInUse } from '@portcullis/scopes/algorithms';
import type { AuthServerSettings } from './config.js';

import { KeyRing } from './key-ring.js';
import { keyUpkeep } from './key-upkeep.js';
import { sealedSigners } from './sealed-signers.memory.js';
import { sqlSigningKeys } from './signing-keys.sql.js';
import type { AuthServerParts } from './start.js';

/**
 * The signing keys, open: made at the first start, kept up from then on.
 * @throws KeyCannotBeOpened
 */
export async function openKeys(
  { TOKEN_ALGORITHMS, KEY_ROTATION_DAYS }: Pick<AuthServerSettings, 'TOKEN_ALGORITHMS' | 'KEY_ROTATION_DAYS'>,
  { database, keys: { keyEncryption }, signers, events, log, now = Date.now }: AuthServerParts,
) {
  const stored = sqlSigningKeys(database);
  const ring = new KeyRing();
  const [kek, ...otherKeks] = keyEncryption;
  const keeping = keyUpkeep({
    keys: stored,
    signers: signers ?? sealedSigners([keyBytes(kek), ...otherKeks.map(keyBytes)]),
    ring,
    events,
    log,
    inUse: algorithmsInUse(TOKEN_ALGORITHMS),
    everyDays: KEY_ROTATION_DAYS,
    now,
  });
  await keeping.open();
  return { stored, ring, keeping };
}

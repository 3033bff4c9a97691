import { shelve, type Artefacts } from './artefacts.js';
import { wasChecked } from './dpop.js';

/**
 * Lets the id of an assertion or a proof be used once (RFC 7523 §3, item 7; RFC 9449 §11.1). In place of oidc-provider's own, which looks first and
 * writes later, so that of two at once both would pass.
 */
export const useOnce =
  ({ artefacts }: { readonly artefacts: Artefacts }) =>
  async (iss: string, jti: string, exp: number): Promise<boolean> =>
    wasChecked(jti) ||
    artefacts.putOnce(shelve('ReplayDetection', JSON.stringify([iss, jti]), { clientId: iss }, exp * 1000));

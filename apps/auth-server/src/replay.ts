import { shelve, type Artefacts } from './artefacts.js';

/**
 * Lets an assertion's id be used once (RFC 7523 §3, item 7). In place of oidc-provider's own, which looks first and
 * writes later, so that of two at once both would pass.
 */
export const useOnce =
  ({ artefacts }: { readonly artefacts: Artefacts }) =>
  (iss: string, jti: string, exp: number): Promise<boolean> =>
    artefacts.putOnce(shelve('ReplayDetection', JSON.stringify([iss, jti]), { clientId: iss }, exp * 1000));

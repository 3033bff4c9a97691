import { SettingsError } from '@portcullis/service/settings';
import type { Clients } from './clients.js';
import type { AuthServerSettings } from './config.js';

interface Found {
  /** demo accounts or a local administrator are given to this start */
  readonly demo: boolean;
  readonly clients: Pick<Clients, 'anyDemo'>;
}

/**
 * What is for one machine's demonstration has no place in a deployment, whether given now or left in its database.
 * @throws SettingsError naming every problem
 */
export async function refuseUnsafe(
  { AUTH_ISSUER, PORTCULLIS_MODE }: Pick<AuthServerSettings, 'AUTH_ISSUER' | 'PORTCULLIS_MODE'>,
  { demo, clients }: Found,
): Promise<void> {
  const hasPath = new URL(AUTH_ISSUER).pathname !== '/';
  const hasDemo = PORTCULLIS_MODE !== 'embedded' && (demo || (await clients.anyDemo()));
  const problems = [
    ...(hasPath ? [{ variable: 'AUTH_ISSUER', says: 'must have no path in this version.' }] : []),
    ...(hasDemo
      ? [
          {
            variable: 'DEMO',
            says: 'is where demo clients come from, and there are some. Remove them; hardened mode has none.',
          },
        ]
      : []),
  ];
  if (problems.length > 0) throw new SettingsError(problems);
}

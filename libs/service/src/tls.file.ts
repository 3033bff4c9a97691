import { readFileSync } from 'node:fs';
import type { TlsFiles } from './listener.http.js';

/** The PEM files that the settings name; undefined when they name none. */
export function readTls(settings: {
  readonly TLS_CERT_FILE?: string | undefined;
  readonly TLS_KEY_FILE?: string | undefined;
  readonly TLS_CLIENT_CA_FILE?: string | undefined;
}): TlsFiles | undefined {
  const { TLS_CERT_FILE, TLS_KEY_FILE, TLS_CLIENT_CA_FILE } = settings;
  if (TLS_CERT_FILE === undefined || TLS_KEY_FILE === undefined) return undefined;
  const read = (path: string): string => readFileSync(path, 'utf8');
  return {
    cert: read(TLS_CERT_FILE),
    key: read(TLS_KEY_FILE),
    ...(TLS_CLIENT_CA_FILE !== undefined && { ca: read(TLS_CLIENT_CA_FILE) }),
  };
}

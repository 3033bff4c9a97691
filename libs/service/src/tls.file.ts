import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { TlsFiles } from './listener.http.js';
import { SettingsError, type Problem } from './settings.js';

/**
 * The PEM files that the settings name; undefined when they name none.
 * @throws SettingsError naming every file that cannot be read or does not hold what it should
 */
export function readTls(settings: {
  readonly TLS_CERT_FILE?: string | undefined;
  readonly TLS_KEY_FILE?: string | undefined;
  readonly TLS_CLIENT_CA_FILE?: string | undefined;
}): TlsFiles | undefined {
  const { TLS_CERT_FILE, TLS_KEY_FILE, TLS_CLIENT_CA_FILE } = settings;
  if (TLS_CERT_FILE === undefined || TLS_KEY_FILE === undefined) return undefined;
  const problems: Problem[] = [];
  const read = <T>(
    variable: string,
    path: string,
    parse: (pem: string) => T,
  ): { pem: string; parsed: T } | undefined => {
    try {
      const pem = readFileSync(path, 'utf8');
      return { pem, parsed: parse(pem) };
    } catch {
      problems.push({ variable, says: 'names a file that cannot be read or holds no PEM of its kind.' });
      return undefined;
    }
  };
  const certificate = (pem: string): X509Certificate => new X509Certificate(pem);
  const cert = read('TLS_CERT_FILE', TLS_CERT_FILE, certificate);
  const key = read('TLS_KEY_FILE', TLS_KEY_FILE, createPrivateKey);
  const ca = TLS_CLIENT_CA_FILE ? read('TLS_CLIENT_CA_FILE', TLS_CLIENT_CA_FILE, certificate) : undefined;
  if (cert && key && !cert.parsed.checkPrivateKey(key.parsed)) {
    problems.push({ variable: 'TLS_KEY_FILE', says: 'is not the key of the certificate in TLS_CERT_FILE.' });
  }
  if (cert === undefined || key === undefined || problems.length > 0) throw new SettingsError(problems);
  return { cert: cert.pem, key: key.pem, ca: ca?.pem };
}

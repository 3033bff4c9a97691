import { Secret } from '@portcullis/contract/secret';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { TlsFiles } from './listener.http.js';
import { SettingsError, type Problem } from './settings.js';

const certificate = (pem: string): X509Certificate => new X509Certificate(pem);

/** Reads PEM files, and notes those that cannot be. */
function pemReader() {
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
  return { problems, read };
}

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
  const { problems, read } = pemReader();
  const cert = read('TLS_CERT_FILE', TLS_CERT_FILE, certificate);
  const key = read('TLS_KEY_FILE', TLS_KEY_FILE, createPrivateKey);
  const ca = TLS_CLIENT_CA_FILE ? read('TLS_CLIENT_CA_FILE', TLS_CLIENT_CA_FILE, certificate) : undefined;
  if (cert && key && !cert.parsed.checkPrivateKey(key.parsed)) {
    problems.push({ variable: 'TLS_KEY_FILE', says: 'is not the key of the certificate in TLS_CERT_FILE.' });
  }
  if (cert === undefined || key === undefined || problems.length > 0) throw new SettingsError(problems);
  return { cert: cert.pem, key: key.pem, ca: ca?.pem };
}

/** PEM texts by which a client of a server knows it, and shows who it is. */
export interface ClientTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: Secret;
}

/**
 * The PEM files that `X_CA_FILE`, `X_CERT_FILE` and `X_KEY_FILE` name.
 * @throws SettingsError naming every file that cannot be read or does not hold what it should
 */
export function readClientTls<X extends string>(x: X, settings: ClientTlsSettings<X>): ClientTls {
  const { problems, read } = pemReader();
  const of = (what: TlsFile, parse: (pem: string) => unknown): string | undefined => {
    const variable: `${X}_${TlsFile}_FILE` = `${x}_${what}_FILE`;
    const path: string | undefined = settings[variable];
    return path === undefined ? undefined : read(variable, path, parse)?.pem;
  };
  const [ca, cert, key] = [of('CA', certificate), of('CERT', certificate), of('KEY', createPrivateKey)];
  if (problems.length > 0) throw new SettingsError(problems);
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key: new Secret(key) }),
  };
}
type TlsFile = 'CA' | 'CERT' | 'KEY';
export type ClientTlsSettings<X extends string> = {
  readonly [variable in `${X}_${TlsFile}_FILE`]?: string | undefined;
};

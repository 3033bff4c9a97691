import { generateKeyPairSync, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';

const der = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts);
  const size =
    body.length < 128
      ? [body.length]
      : body.length < 256
        ? [0x81, body.length]
        : [0x82, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
};
const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const text = (tag: number, value: string): Buffer => der(tag, Buffer.from(value));

/** The alternative name that says it (RFC 5280 §4.2.1.6): a URI, an IPv4 address, or else the name of a host. */
const alternative = (name: string): Buffer => {
  if (name.includes('://')) return text(0x86, name);
  return isIPv4(name) ? der(0x87, Uint8Array.from(name.split('.'), Number)) : text(0x82, name);
};

/** A self-signed P-256 certificate for 127.0.0.1 (RFC 5280), good from 2020 to 2049; or for other names instead. */
export function selfSigned(...names: readonly string[]): { cert: string; key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ecdsaWithSha256 = sequence(der(6, hex('2a8648ce3d040302')));
  const name = sequence(der(0x31, sequence(der(6, hex('550403')), text(0x0c, names[0] ?? '127.0.0.1'))));
  const alternatives = (names.length > 0 ? names : ['127.0.0.1']).map(alternative);
  const altNames = sequence(der(6, hex('551d11')), der(4, sequence(...alternatives)));
  const signed = sequence(
    der(0xa0, der(2, hex('02'))),
    der(2, hex('01')),
    ecdsaWithSha256,
    name,
    sequence(text(0x17, '200101000000Z'), text(0x17, '491231235959Z')),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(altNames)),
  );
  const signature = der(3, hex('00'), sign('sha256', signed, privateKey));
  const body = sequence(signed, ecdsaWithSha256, signature).toString('base64');
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${body.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

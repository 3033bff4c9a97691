import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selfSigned } from './certificate.fixture.js';
import { bind, closeBound, listen } from './listener.http.js';
import { readClientTls, readTls } from './tls.file.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tls-'));
});
afterEach(() => rm(dir, { recursive: true }));

test('without the two files there is no TLS', () => {
  expect(readTls({})).toBeUndefined();
});

test('a port bound with certificate and key serves https, and closes like another', async () => {
  const { cert, key } = selfSigned();
  const [TLS_CERT_FILE, TLS_KEY_FILE] = [join(dir, 'cert.pem'), join(dir, 'key.pem')];
  await Promise.all([writeFile(TLS_CERT_FILE, cert), writeFile(TLS_KEY_FILE, key)]);
  const bound = await bind('127.0.0.1', 0, readTls({ TLS_CERT_FILE, TLS_KEY_FILE }));
  listen(bound, (request, response) => response.end(String((request.socket as { encrypted?: boolean }).encrypted)));
  expect(bound.url).toBe(`https://127.0.0.1:${bound.port}`);
  const text = await new Promise<string>((resolve, reject) => {
    get(bound.url, { ca: cert }, (response) => {
      let all = '';
      response.on('data', (chunk) => (all += chunk)).on('end', () => resolve(all));
    }).on('error', reject);
  });
  expect(text).toBe('true');
  await closeBound(bound);
});

test('every file that is missing or holds something else is named', async () => {
  const [TLS_CERT_FILE, TLS_CLIENT_CA_FILE] = [join(dir, 'cert.pem'), join(dir, 'ca.pem')];
  await Promise.all([writeFile(TLS_CERT_FILE, selfSigned().key), writeFile(TLS_CLIENT_CA_FILE, 'hunter2')]);
  const read = () => readTls({ TLS_CERT_FILE, TLS_KEY_FILE: join(dir, 'nothing.pem'), TLS_CLIENT_CA_FILE });
  expect(read).toThrow(/TLS_CERT_FILE: .*\n.*TLS_KEY_FILE: .*\n.*TLS_CLIENT_CA_FILE: /);
  expect(read).not.toThrow(/hunter2|PRIVATE/);
});

test('the key of another certificate is refused', async () => {
  const [TLS_CERT_FILE, TLS_KEY_FILE] = [join(dir, 'cert.pem'), join(dir, 'key.pem')];
  await Promise.all([writeFile(TLS_CERT_FILE, selfSigned().cert), writeFile(TLS_KEY_FILE, selfSigned().key)]);
  expect(() => readTls({ TLS_CERT_FILE, TLS_KEY_FILE })).toThrow(/TLS_KEY_FILE: is not the key of the certificate/);
});

test('what a client of another server shows and trusts is read by the name of the server', async () => {
  const { cert, key } = selfSigned();
  const [KAFKA_SSL_CERT_FILE, KAFKA_SSL_KEY_FILE] = [join(dir, 'cert.pem'), join(dir, 'key.pem')];
  await Promise.all([writeFile(KAFKA_SSL_CERT_FILE, cert), writeFile(KAFKA_SSL_KEY_FILE, key)]);
  const settings = { KAFKA_SSL_CERT_FILE, KAFKA_SSL_KEY_FILE };
  const tls = readClientTls('KAFKA_SSL', { ...settings, KAFKA_SSL_CA_FILE: KAFKA_SSL_CERT_FILE });
  expect([tls.ca, tls.cert, tls.key?.reveal()]).toEqual([cert, cert, key]);
  expect(JSON.stringify(tls)).not.toContain('PRIVATE');
  expect(readClientTls('KAFKA_SSL', {})).toEqual({});
  const swapped = { KAFKA_SSL_CERT_FILE: KAFKA_SSL_KEY_FILE, KAFKA_SSL_KEY_FILE: join(dir, 'nothing.pem') };
  expect(() => readClientTls('KAFKA_SSL', swapped)).toThrow(/KAFKA_SSL_CERT_FILE: .*\n.*KAFKA_SSL_KEY_FILE: /);
});

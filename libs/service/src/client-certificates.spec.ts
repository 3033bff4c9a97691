import { X509Certificate } from 'node:crypto';
import { selfSigned } from './certificate.fixture.js';
import { certificateNames, clientCertificatesSetting, holderOf } from './client-certificates.js';

const setting = clientCertificatesSetting();

describe('the setting', () => {
  test('names whose certificates speak for a tenant, or for all', () => {
    const named = setting.parse(' Gateway.Example=acme, spiffe://mesh/Gw?a=b=*,');
    expect([...named]).toEqual([
      ['gateway.example', 'acme'],
      ['spiffe://mesh/Gw?a=b', '*'],
    ]);
    expect(setting.parse(undefined).size).toBe(0);
  });

  test.each(['gateway.example', '=acme', 'a=', 'a=No/Slug', 'a=b=c d', 'a=x,A=y', 'a=x,a=x', 'a=**'])(
    '%s is refused, without showing it',
    (text) => {
      const { error } = setting.safeParse(text);
      expect(error?.issues).toMatchObject([{ message: 'must be NAME=TENANT or NAME=*, each name once' }]);
    },
  );
});

describe('the names in a certificate', () => {
  test('are its hosts and URIs, as Node.js reads them', () => {
    const { cert } = selfSigned('Gateway.example', 'spiffe://mesh/Gw', 'other.example');
    const { subjectAltName = '' } = new X509Certificate(cert);
    expect(certificateNames(subjectAltName)).toEqual(['gateway.example', 'spiffe://mesh/Gw', 'other.example']);
  });

  test('a name that is written to look like two is none', () => {
    const { cert } = selfSigned('evil.example, DNS:gateway.example', 'a.example');
    const { subjectAltName = '' } = new X509Certificate(cert);
    expect(certificateNames(subjectAltName)).toEqual(['a.example']);
  });

  test.each([
    ['', []],
    ['IP Address:127.0.0.1', []],
    ['email:a@b.example, DNS:a.example', ['a.example']],
    ['DNS:spiffe://mesh/gw, URI:gateway.example', []],
    ['DNS:a.example,DNS:b.example', []],
    ['DNS:a.example, "', []],
    ['DNS:"a\\"b, DNS:c.example", DNS:d.example', ['d.example']],
    ['DNS:"open, DNS:a.example', []],
  ])('of %j are %j', (text, names) => {
    expect(certificateNames(text)).toEqual(names);
  });

  test('a long text takes no longer than its length says', () => {
    expect(certificateNames(`${'DNS:a, '.repeat(50_000)}"`)).toEqual([]);
    expect(certificateNames(`DNS:"${'\\'.repeat(200_000)}`)).toEqual([]);
  });
});

describe('whom a certificate speaks for', () => {
  const named = setting.parse('a.example=acme,b.example=acme,c.example=other,spiffe://mesh/all=*');

  test.each([
    ['DNS:a.example', { name: 'a.example', tenant: 'acme' }],
    ['DNS:x.example, DNS:B.example', { name: 'b.example', tenant: 'acme' }],
    ['DNS:a.example, DNS:b.example', { name: 'a.example', tenant: 'acme' }],
    ['URI:spiffe://mesh/all', { name: 'spiffe://mesh/all', tenant: '*' }],
    ['DNS:a.example, DNS:c.example', undefined],
    ['DNS:a.example, URI:spiffe://mesh/all', undefined],
    ['DNS:example', undefined],
    ['DNS:x.a.example', undefined],
    ['URI:spiffe://mesh/All', undefined],
  ])('%s: %j', (names, holder) => {
    expect(holderOf(names, named)).toEqual(holder);
  });
});

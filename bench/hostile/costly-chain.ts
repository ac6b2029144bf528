/** A chain of certificates whose verification takes as long as possible. */
import 'reflect-metadata';
import { generatePrimeSync, randomBytes, webcrypto } from 'node:crypto';
import { BasicConstraintsExtension, X509CertificateGenerator } from '@peculiar/x509';

const ALGORITHM = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };

/** Bits of the modulus. Above it, OpenSSL allows no long public exponent. */
const BITS = 3_072;

const base64url = (value: bigint): string => {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex').toString('base64url');
};

/** The inverse of a number, if there is one. */
function inverse(value: bigint, modulus: bigint): bigint | undefined {
  let [r0, r1, s0, s1] = [modulus, value % modulus, 0n, 1n];
  while (r1 !== 0n) {
    const quotient = r0 / r1;
    [r0, r1, s0, s1] = [r1, r0 - quotient * r1, s1, s0 - quotient * s1];
  }
  return r0 === 1n ? ((s0 % modulus) + modulus) % modulus : undefined;
}

/** A pair of keys whose public exponent is as long as the modulus. */
async function costlyKeys(): Promise<webcrypto.CryptoKeyPair> {
  const [p, q] = [0, 1].map(() => generatePrimeSync(BITS / 2, { bigint: true })) as [bigint, bigint];
  const n = p * q;
  const order = (p - 1n) * (q - 1n);
  let [e, d]: [bigint, bigint | undefined] = [0n, undefined];
  while (d === undefined) {
    e = (BigInt(`0x${randomBytes(BITS / 8).toString('hex')}`) % (n >> 2n)) | 1n;
    d = inverse(e, order);
  }
  const jwk = {
    kty: 'RSA',
    n: base64url(n),
    e: base64url(e),
    d: base64url(d),
    p: base64url(p),
    q: base64url(q),
    dp: base64url(d % (p - 1n)),
    dq: base64url(d % (q - 1n)),
    qi: base64url(inverse(q, p) ?? 0n),
  };
  const load = (key: webcrypto.JsonWebKey, use: 'sign' | 'verify') =>
    webcrypto.subtle.importKey('jwk', key, ALGORITHM, true, [use]);
  return {
    privateKey: await load(jwk, 'sign'),
    publicKey: await load({ kty: 'RSA', n: jwk.n, e: jwk.e }, 'verify'),
  };
}

/** Creates a leaf with an ordinary key, and certificates of authorities that sign each other. In PEM. */
export async function costlyChain(
  authorities: number,
): Promise<{ readonly cert: string; readonly key: string }> {
  const costly = await costlyKeys();
  const leaf = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ]);
  const certificate = (level: number, publicKey: webcrypto.CryptoKey) =>
    X509CertificateGenerator.create({
      serialNumber: String(level + 1).padStart(2, '0'),
      subject: `CN=${level}`,
      issuer: `CN=${Math.min(level + 1, authorities)}`,
      notBefore: new Date('2025-01-01'),
      notAfter: new Date('2045-01-01'),
      signingAlgorithm: ALGORITHM,
      publicKey,
      signingKey: costly.privateKey,
      extensions: level === 0 ? [] : [new BasicConstraintsExtension(true)],
    });
  const all = [certificate(0, leaf.publicKey)];
  for (let level = 1; level <= authorities; level++) all.push(certificate(level, costly.publicKey));
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', leaf.privateKey)).toString('base64');
  return {
    cert: (await Promise.all(all)).map((each) => `${each.toString('pem')}\n`).join(''),
    key: `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`,
  };
}

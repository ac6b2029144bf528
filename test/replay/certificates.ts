import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  BasicConstraintsExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { PodPort } from './case.ts';
import type { Certificate } from './served-pod.ts';

const KEYS = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;

type Kind = NonNullable<PodPort['tls']>;

const newKeys = () => webcrypto.subtle.generateKey(KEYS, true, ['sign', 'verify']);

const pem = (label: string, bytes: ArrayBuffer): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(bytes).toString('base64').replaceAll(/.{64}/g, '$&\n')}\n-----END ${label}-----\n`;

const keyPemOf = async (key: webcrypto.CryptoKey): Promise<string> =>
  pem('PRIVATE KEY', await webcrypto.subtle.exportKey('pkcs8', key));

const alternativeNames = (names: readonly string[]) =>
  new SubjectAlternativeNameExtension(
    names.map((value) => ({ type: /^[\d.]+$/.test(value) ? ('ip' as const) : ('dns' as const), value })),
  );

async function createAuthority(name: string) {
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    notBefore: new Date(Date.now() - YEAR_MS),
    notAfter: new Date(Date.now() + YEAR_MS),
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
    signingAlgorithm: KEYS,
  });
  return { keys, certificate };
}

/**
 * Certificates for the Pods: of an authority that the program knows, and of one that it does not.
 * @param folder where the file with the known authority goes
 */
export async function caseCertificates(folder: string) {
  const [known, own] = await Promise.all([createAuthority('known'), createAuthority('private')]);
  const knownFile = join(folder, 'known-authority.pem');
  await writeFile(knownFile, known.certificate.toString('pem'));

  async function sign(kind: Kind, names: readonly string[]): Promise<Certificate> {
    const keys = await newKeys();
    const end = kind === 'expired' ? -HOUR_MS : YEAR_MS;
    const validity = {
      notBefore: new Date(Date.now() - 2 * HOUR_MS),
      notAfter: new Date(Date.now() + end),
      extensions: [alternativeNames(kind === 'other-host' ? ['elsewhere.example'] : names)],
      signingAlgorithm: KEYS,
    };
    const issuer = kind === 'private' ? own : known;
    const certificate =
      kind === 'self-signed'
        ? await X509CertificateGenerator.createSelfSigned({ ...validity, name: 'CN=server', keys })
        : await X509CertificateGenerator.create({
            ...validity,
            subject: 'CN=server',
            issuer: issuer.certificate.subject,
            publicKey: keys.publicKey,
            signingKey: issuer.keys.privateKey,
          });
    return { certPem: certificate.toString('pem'), keyPem: await keyPemOf(keys.privateKey) };
  }

  return {
    knownFile,
    /** Signs one certificate of each kind for these names. */
    async sign(kinds: readonly Kind[], names: readonly string[]): Promise<(kind: Kind) => Certificate> {
      const signed = new Map<Kind, Certificate>();
      for (const kind of kinds) signed.set(kind, await sign(kind, names));
      return (kind) => {
        const certificate = signed.get(kind);
        if (certificate === undefined) throw new Error(`no certificate ${kind} was signed`);
        return certificate;
      };
    },
  };
}

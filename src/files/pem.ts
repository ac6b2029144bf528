import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';

/** A text is not the PEM that it should be. The message goes on after the name of the file. */
export class PemError extends Error {}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

const firstLine = (error: unknown): string => (error as Error).message.replace(/\n.*/s, '');

/** The certificates in a text, at least one. @throws PemError */
export function certificatesIn(text: string): X509Certificate[] {
  const blocks = text.match(PEM_CERTIFICATE) ?? [];
  if (blocks.length === 0) throw new PemError('holds no certificate in PEM');
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (error) {
    throw new PemError(`holds a certificate that cannot be read: ${firstLine(error)}`, { cause: error });
  }
}

/** The private key in a text. @throws PemError */
export function privateKeyIn(text: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch (error) {
    // OpenSSL's message is of no help, and the content of the file must not be logged.
    throw new PemError('holds no private key in PEM without a password', { cause: error });
  }
}

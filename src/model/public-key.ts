import { BIT_STRING, type Element, elementsIn, elementsOf, hex, INTEGER, OID, SEQUENCE } from './der.ts';

/** RSA, and RSA with PSS. Source: RFC 8017, appendix A.2. */
const RSA = new Set([hex('2a 86 48 86 f7 0d 01 01 01'), hex('2a 86 48 86 f7 0d 01 01 0a')]);
/** Elliptic curves with parameters. Source: RFC 5480, section 2.1.1. */
const ELLIPTIC = hex('2a 86 48 ce 3d 02 01');
/** P-256, P-384 and P-521. Source: RFC 5480, section 2.1.1.1. */
const CURVES = new Set([hex('2a 86 48 ce 3d 03 01 07'), hex('2b 81 04 00 22'), hex('2b 81 04 00 23')]);
/** Ed25519 and Ed448 (RFC 8410, section 3), and ML-DSA (RFC 9881, section 2): algorithms without parameters. */
const PLAIN = new Set([
  hex('2b 65 70'),
  hex('2b 65 71'),
  hex('60 86 48 01 65 03 04 03 11'),
  hex('60 86 48 01 65 03 04 03 12'),
  hex('60 86 48 01 65 03 04 03 13'),
]);

/** Maximum bytes of the modulus, with a leading zero, and of the public exponent of RSA. */
const MAX_MODULUS = 8192 / 8 + 1;
const MAX_EXPONENT = 5;

function isOrdinaryRsa(key: Buffer): boolean {
  // The first byte of a bit string is the number of unused bits.
  const [modulus, exponent] = elementsIn(key.subarray(1), SEQUENCE, 2) ?? [];
  return (
    modulus?.tag === INTEGER &&
    exponent?.tag === INTEGER &&
    modulus.content.length <= MAX_MODULUS &&
    exponent.content.length <= MAX_EXPONENT
  );
}

/**
 * Whether a public key is of an ordinary kind and size: RSA up to 8192 bits with a short exponent, one of three named curves,
 * Ed25519, Ed448 or ML-DSA. With other keys, a certificate of a kilobyte can cost OpenSSL half a second: curves with explicit
 * parameters when it is read, and long exponents when it is verified. Linear time.
 * @param info SubjectPublicKeyInfo, RFC 5280, section 4.1
 */
export function isOrdinaryKey(info: Element): boolean {
  const [algorithm, key] = elementsOf(info.content, 2) ?? [];
  if (algorithm?.tag !== SEQUENCE || key?.tag !== BIT_STRING) return false;
  const [id, parameters] = elementsOf(algorithm.content, 2) ?? [];
  if (id?.tag !== OID) return false;
  const name = id.content.toString('hex');
  if (RSA.has(name)) return isOrdinaryRsa(key.content);
  if (name === ELLIPTIC) return parameters?.tag === OID && CURVES.has(parameters.content.toString('hex'));
  return PLAIN.has(name);
}

/** Reads no more than this of the length of an element of DER, in bytes. */
const MAX_LENGTH_BYTES = 3;

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OID = 0x06;
const VERSION = 0xa0;

/** An element of DER, and the position after it. */
interface Element {
  readonly tag: number;
  readonly content: Buffer;
  readonly end: number;
}

/** The element at a position. `undefined` if there is none of a definite length. */
function elementAt(der: Buffer, start: number): Element | undefined {
  const tag = der[start];
  const first = der[start + 1];
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) return undefined;
  let from = start + 2;
  let length = first;
  if (first >= 0x80) {
    const bytes = first & 0x7f;
    if (bytes === 0 || bytes > MAX_LENGTH_BYTES || from + bytes > der.length) return undefined;
    length = der.readUIntBE(from, bytes);
    from += bytes;
  }
  const end = from + length;
  return end > der.length ? undefined : { tag, content: der.subarray(from, end), end };
}

/** The elements of a sequence, up to a number. */
function elementsOf(content: Buffer, most: number): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < content.length && elements.length < most; ) {
    const element = elementAt(content, at);
    if (element === undefined) return [];
    elements.push(element);
    at = element.end;
  }
  return elements;
}

const hex = (text: string): string => text.replaceAll(' ', '');

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
  const [sequence, ...more] = elementsOf(key.subarray(1), 2);
  if (sequence?.tag !== SEQUENCE || more.length > 0) return false;
  const [modulus, exponent] = elementsOf(sequence.content, 2);
  return (
    modulus?.tag === INTEGER &&
    exponent?.tag === INTEGER &&
    modulus.content.length <= MAX_MODULUS &&
    exponent.content.length <= MAX_EXPONENT
  );
}

/**
 * Whether the public key of a certificate is of an ordinary kind and size: RSA up to 8192 bits with a short exponent, one of
 * three named curves, Ed25519, Ed448 or ML-DSA. With other keys, a certificate of a kilobyte can cost OpenSSL half a second:
 * curves with explicit parameters when it is read, and long exponents when it is verified. Linear time.
 * @param der the certificate, RFC 5280, section 4.1
 */
export function hasOrdinaryKey(der: Buffer): boolean {
  const whole = elementAt(der, 0);
  if (whole?.tag !== SEQUENCE || whole.end !== der.length) return false;
  const [signed] = elementsOf(whole.content, 1);
  if (signed?.tag !== SEQUENCE) return false;
  const fields = elementsOf(signed.content, 7);
  const [serial, , , , , info] = fields[0]?.tag === VERSION ? fields.slice(1) : fields;
  if (serial?.tag !== INTEGER || info?.tag !== SEQUENCE) return false;
  const [algorithm, key] = elementsOf(info.content, 2);
  if (algorithm?.tag !== SEQUENCE || key?.tag !== BIT_STRING) return false;
  const [id, parameters] = elementsOf(algorithm.content, 2);
  if (id?.tag !== OID) return false;
  const name = id.content.toString('hex');
  if (RSA.has(name)) return isOrdinaryRsa(key.content);
  if (name === ELLIPTIC) return parameters?.tag === OID && CURVES.has(parameters.content.toString('hex'));
  return PLAIN.has(name);
}

import {
  BIT_STRING,
  type Element,
  elementsIn,
  elementsOf,
  hex,
  INTEGER,
  OCTET_STRING,
  OID,
  SEQUENCE,
  SET,
} from './der.ts';
import { isOrdinaryKey } from './public-key.ts';

/** Maximum certificates of a chain. Usual ones have 1 to 4. */
const MAX_CERTIFICATES = 10;
/** Maximum attributes of a name. Usual ones have 1 to 8. */
const MAX_NAME_PARTS = 32;
/** Maximum extensions of a certificate. Usual ones have 5 to 12. */
const MAX_EXTENSIONS = 32;
/** Maximum points where lists of revoked certificates are, and names of each. */
const MAX_POINTS = 16;
/**
 * Maximum alternative names, and names that authorities permit or exclude, of all certificates of a chain together. Each of the
 * former is compared with each of the latter.
 */
const MAX_NAMES = 256;
const MAX_CONSTRAINTS = 32;

/** Extensions. Source: RFC 5280, section 4.2.1. */
const ALTERNATIVE_NAMES = new Set([hex('55 1d 11'), hex('55 1d 12')]);
const NAME_CONSTRAINTS = hex('55 1d 1e');
const REVOCATION_POINTS = new Set([hex('55 1d 1f'), hex('55 1d 2e')]);
/** Proxy certificates (RFC 3820), and addresses and numbers of networks (RFC 3779). No backend and no client has them. */
const FOREIGN = new Set([
  hex('2b 06 01 05 05 07 01 0e'),
  hex('2b 06 01 05 05 07 01 07'),
  hex('2b 06 01 05 05 07 01 08'),
]);

/** Context-specific tags in a certificate and in its extensions. Source: RFC 5280, appendix A. */
const VERSION = 0xa0;
const ISSUER_ID = 0x81;
const SUBJECT_ID = 0x82;
const EXTENSIONS = 0xa3;
const POINT_NAME = 0xa0;
const POINT_REASONS = 0x81;
const POINT_ISSUER = 0xa2;
const FULL_NAME = 0xa0;
const PERMITTED = 0xa0;
const EXCLUDED = 0xa1;

const BOOLEAN = 0x01;

/** Whether elements have these tags, in order. */
const haveTags = (elements: readonly Element[], tags: readonly number[]): boolean =>
  tags.every((tag, index) => elements[index]?.tag === tag);

/** A list of sets of attributes. */
function isOrdinaryName(name: Element): boolean {
  const sets = elementsOf(name.content, MAX_NAME_PARTS);
  if (sets === undefined) return false;
  let parts = 0;
  for (const { tag, content } of sets) {
    const attributes = tag === SET ? elementsOf(content, MAX_NAME_PARTS) : undefined;
    if (attributes === undefined || attributes.some((each) => each.tag !== SEQUENCE)) return false;
    parts += attributes.length;
  }
  return parts <= MAX_NAME_PARTS;
}

/**
 * A list of points with full names. OpenSSL copies the name of the issuer for each point whose name is relative to it, which
 * took 3 s for a certificate of 16 KiB.
 */
function areOrdinaryPoints(value: Buffer): boolean {
  const points = elementsIn(value, SEQUENCE, MAX_POINTS);
  return (
    points?.every(({ tag, content }) => {
      const fields = tag === SEQUENCE ? elementsOf(content, 3) : undefined;
      return fields?.every((field) => {
        if (field.tag !== POINT_NAME) return field.tag === POINT_REASONS || field.tag === POINT_ISSUER;
        return elementsIn(field.content, FULL_NAME, MAX_POINTS) !== undefined;
      });
    }) === true
  );
}

/** The number of names that an authority permits or excludes. `undefined` if it is malformed, or there are too many. */
function constraintsIn(value: Buffer): number | undefined {
  const lists = elementsIn(value, SEQUENCE, 2);
  let count = 0;
  for (const { tag, content } of lists ?? []) {
    const names = tag === PERMITTED || tag === EXCLUDED ? elementsOf(content, MAX_CONSTRAINTS) : undefined;
    if (names === undefined) return undefined;
    count += names.length;
  }
  return lists === undefined ? undefined : count;
}

/** The names in a chain that OpenSSL compares. */
interface Names {
  alternative: number;
  constraints: number;
}

/** Why an extension is not ordinary. @param names counts those of the chain */
function oddityOfExtension({ tag, content }: Element, names: Names): string | undefined {
  const [id, ...rest] = (tag === SEQUENCE ? elementsOf(content, 3) : undefined) ?? [];
  const value = rest.at(-1);
  const isSound = rest.length === 1 || (rest.length === 2 && rest[0]?.tag === BOOLEAN);
  if (id?.tag !== OID || value?.tag !== OCTET_STRING || !isSound) return 'a malformed extension';
  const name = id.content.toString('hex');
  if (FOREIGN.has(name)) return 'an extension that servers do not have';
  if (REVOCATION_POINTS.has(name) && !areOrdinaryPoints(value.content))
    return 'an extraordinary list of points for revoked certificates';
  if (ALTERNATIVE_NAMES.has(name)) {
    const all = elementsIn(value.content, SEQUENCE, MAX_NAMES);
    if (all === undefined) return `malformed alternative names, or more than ${MAX_NAMES}`;
    names.alternative += all.length;
  }
  if (name === NAME_CONSTRAINTS) {
    const count = constraintsIn(value.content);
    if (count === undefined) return `malformed name constraints, or more than ${MAX_CONSTRAINTS}`;
    names.constraints += count;
  }
  return undefined;
}

/** Why the part of a certificate after its key is not ordinary. */
function oddityOfEnd(fields: readonly Element[], names: Names): string | undefined {
  const order = [ISSUER_ID, SUBJECT_ID, EXTENSIONS];
  const places = fields.map(({ tag }) => order.indexOf(tag));
  if (places.some((place, index) => place <= (places[index - 1] ?? -1))) return 'an unknown field';
  const wrapped = fields.find(({ tag }) => tag === EXTENSIONS);
  if (wrapped === undefined) return undefined;
  const extensions = elementsIn(wrapped.content, SEQUENCE, MAX_EXTENSIONS);
  if (extensions === undefined) return `malformed extensions, or more than ${MAX_EXTENSIONS}`;
  for (const extension of extensions) {
    const oddity = oddityOfExtension(extension, names);
    if (oddity !== undefined) return oddity;
  }
  return undefined;
}

/** The fields of a certificate from the serial number on: algorithm, issuer, validity, subject, key, and more. */
const FIELDS = [INTEGER, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE];

function oddityOfCertificate(der: Buffer, names: Names): string | undefined {
  const parts = elementsIn(der, SEQUENCE, 3) ?? [];
  if (!haveTags(parts, [SEQUENCE, SEQUENCE, BIT_STRING])) return 'a malformed structure';
  const all = elementsOf(parts[0]?.content ?? der, FIELDS.length + 4) ?? [];
  const fields = all[0]?.tag === VERSION ? all.slice(1) : all;
  const [, , issuer, , subject, key, ...end] = fields;
  if (!haveTags(fields, FIELDS) || issuer === undefined || subject === undefined || key === undefined)
    return 'a malformed structure';
  if (!isOrdinaryName(issuer) || !isOrdinaryName(subject))
    return `a malformed name, or one with more than ${MAX_NAME_PARTS} parts`;
  if (!isOrdinaryKey(key)) return 'an extraordinary public key';
  return oddityOfEnd(end, names);
}

/**
 * Why a chain of certificates is not ordinary, as the rest of a sentence. OpenSSL reads all extensions of all certificates that
 * the other side sends, and verifies all signatures, whether anybody trusts them or not, on the event loop. What it does is not
 * linear in their size. So only certificates of a bounded shape may reach it. Usual chains are far below all bounds.
 * Linear time.
 * @param chain certificates in DER, RFC 5280, section 4.1
 */
export function oddityOf(chain: readonly Buffer[]): string | undefined {
  if (chain.length > MAX_CERTIFICATES) return `has more than ${MAX_CERTIFICATES} certificates`;
  const names: Names = { alternative: 0, constraints: 0 };
  for (const certificate of chain) {
    const oddity = oddityOfCertificate(certificate, names);
    if (oddity !== undefined) return `has a certificate with ${oddity}`;
  }
  if (names.alternative > MAX_NAMES) return `has certificates with more than ${MAX_NAMES} alternative names`;
  if (names.constraints > MAX_CONSTRAINTS)
    return `has certificates with more than ${MAX_CONSTRAINTS} name constraints`;
  return undefined;
}

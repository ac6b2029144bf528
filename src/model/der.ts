/** Reads no more than this of the length of an element, in bytes. */
const MAX_LENGTH_BYTES = 3;

/** Tags. Source: ITU-T X.680, section 8.6. */
export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
export const OID = 0x06;
export const SEQUENCE = 0x30;
export const SET = 0x31;

/** An element of DER, and the position after it. */
export interface Element {
  readonly tag: number;
  readonly content: Buffer;
  readonly end: number;
}

/** The element at a position. `undefined` if there is none with a short tag and a definite length. */
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

/** The elements that fill a buffer. `undefined` if they do not fill it, or are more than `most`. Linear time. */
export function elementsOf(content: Buffer, most: number): Element[] | undefined {
  const elements: Element[] = [];
  for (let at = 0; at < content.length; ) {
    const element = elements.length === most ? undefined : elementAt(content, at);
    if (element === undefined) return undefined;
    elements.push(element);
    at = element.end;
  }
  return elements;
}

/** The elements that fill the one element of a buffer. `undefined` if it has another tag, or they are too many. */
export function elementsIn(der: Buffer, tag: number, most: number): Element[] | undefined {
  const [whole] = elementsOf(der, 1) ?? [];
  return whole?.tag === tag ? elementsOf(whole.content, most) : undefined;
}

/** Bytes in hexadecimal digits, from digits with spaces. */
export const hex = (text: string): string => text.replaceAll(' ', '');

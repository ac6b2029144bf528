/** Maximum size of a page, in bytes. An item that is larger has a page of its own. */
const PAGE_BYTES = 512 * 1024;

/** A sorted list that the API divides into pages. */
export interface PagedList<T> {
  readonly all: readonly T[];
  readonly keyOf: (item: T) => string;
  /** An item as JSON. */
  readonly bodyOf: (item: T) => Buffer;
  /** Path of the list. */
  readonly path: string;
}

/** One page of a list. */
export interface Page {
  /** Its items as JSON. */
  readonly bodies: readonly Buffer[];
  readonly total: number;
  /** Path of the next page. */
  readonly next: string | null;
  /** Whether the page begins at the start, or after an existing key. */
  readonly known: boolean;
}

/**
 * The page after a key.
 * @param query the request's query, which the next page repeats
 * @param size maximum number of items
 */
export function pageOf<T>(
  { all, keyOf, bodyOf, path }: PagedList<T>,
  query: Readonly<Record<string, string>>,
  size: number,
): Page {
  const { after } = query;
  const rest = after === undefined ? all : all.filter((item) => keyOf(item) > after);
  const bodies = fitting(rest.slice(0, size), bodyOf);
  const last = rest[bodies.length - 1];
  const next =
    last === undefined || rest.length === bodies.length
      ? null
      : `${path}?${new URLSearchParams({ ...query, after: keyOf(last) })}`;
  const known = after === undefined || all.some((item) => keyOf(item) === after);
  return { bodies, total: all.length, next, known };
}

function fitting<T>(items: readonly T[], bodyOf: (item: T) => Buffer): Buffer[] {
  const bodies: Buffer[] = [];
  let bytes = 0;
  for (const item of items) {
    const body = bodyOf(item);
    bytes += body.length;
    if (bytes > PAGE_BYTES && bodies.length > 0) break;
    bodies.push(body);
  }
  return bodies;
}

const COMMA = Buffer.from(',');

/** A response with the items of a page in one field, and with other fields. */
export function pageBody(field: string, { bodies }: Page, others: object): Buffer {
  return Buffer.concat([
    Buffer.from(`{${JSON.stringify(field)}:[`),
    ...bodies.flatMap((each, index) => (index === 0 ? each : [COMMA, each])),
    Buffer.from(`],${JSON.stringify(others).slice(1)}`),
  ]);
}

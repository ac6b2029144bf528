import { createHash } from 'node:crypto';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { LRUCache } from 'lru-cache';

/** Maximum size of all remembered values, compressed, in bytes. */
const MAX_BYTES = 4 * 1024 * 1024;
/** How long a value is remembered, in milliseconds. */
const MAX_AGE_MS = 3_600_000;

/** Remembers large JSON values for an hour, compressed. The ones that were set longest ago go first. */
export class CompressedMemory<T> {
  readonly #values: LRUCache<string, { readonly hash: string; readonly bytes: Uint8Array }>;

  /** @param now a monotonic clock, in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#values = new LRUCache({
      maxSize: MAX_BYTES,
      sizeCalculation: ({ bytes }) => bytes.length + 128,
      ttl: MAX_AGE_MS,
      ttlResolution: 0,
      perf: { now },
    });
  }

  /** Remembers a value for an hour, in place of the earlier one of this key. The same value is not compressed again. */
  set(key: string, value: T): void {
    const text = JSON.stringify(value);
    const hash = createHash('sha256').update(text).digest('base64');
    const known = this.#values.get(key);
    const bytes =
      known?.hash === hash ? known.bytes : deflateRawSync(text, { level: constants.Z_BEST_SPEED });
    this.#values.set(key, { hash, bytes });
  }

  get(key: string): T | undefined {
    const known = this.#values.get(key);
    return known === undefined ? undefined : (JSON.parse(inflateRawSync(known.bytes).toString()) as T);
  }
}

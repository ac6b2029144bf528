import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { LRUCache } from 'lru-cache';

/** Maximum size of all remembered values, compressed, in bytes. */
const MAX_BYTES = 4 * 1024 * 1024;
/** How long a value is remembered, in milliseconds. */
const MAX_AGE_MS = 3_600_000;

/** Remembers large JSON values for an hour, compressed. The ones that were set longest ago go first. */
export class CompressedMemory<T> {
  readonly #values: LRUCache<string, Uint8Array>;

  /** @param now a monotonic clock, in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#values = new LRUCache({
      maxSize: MAX_BYTES,
      sizeCalculation: (bytes) => bytes.length + 64,
      ttl: MAX_AGE_MS,
      ttlResolution: 0,
      perf: { now },
    });
  }

  /** Remembers a value. One with the same key is the same value, which is remembered for another hour. */
  set(key: string, value: T): void {
    const known = this.#values.get(key);
    this.#values.set(key, known ?? deflateRawSync(JSON.stringify(value), { level: constants.Z_BEST_SPEED }));
  }

  get(key: string): T | undefined {
    const bytes = this.#values.get(key);
    return bytes === undefined ? undefined : (JSON.parse(inflateRawSync(bytes).toString()) as T);
  }
}

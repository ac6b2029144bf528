import type { ConfigMap } from '../../kubernetes/config-maps.ts';

/** The ConfigMaps with the names of shards, as last read or written, by number. */
export class KnownShards {
  #objects: ReadonlyMap<number, ConfigMap> = new Map();
  /** Called when the set changes. */
  onChange: () => void = () => {};

  /** The ConfigMaps, including those of others, so that nothing is written to them. */
  get all(): ReadonlyMap<number, ConfigMap> {
    return this.#objects;
  }

  replace(entries: Iterable<readonly [number, ConfigMap]>): void {
    this.#objects = new Map(entries);
    this.onChange();
  }

  put(shard: number, object: ConfigMap): void {
    this.replace([...this.#objects, [shard, object]]);
  }

  delete(shard: number): void {
    this.replace([...this.#objects].filter(([number]) => number !== shard));
  }
}

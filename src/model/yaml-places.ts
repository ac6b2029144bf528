import { type Document, isMap, isNode, isScalar, isSeq, type Node, type Pair, type YAMLMap } from 'yaml';

const startOf = (node: unknown): number | undefined => (isNode(node) ? node.range?.[0] : undefined);

/** Where values of a document stand in its text. Each mapping is read once, whatever is asked of it. */
export class Places {
  readonly #root: unknown;
  readonly #maps = new WeakMap<YAMLMap, ReadonlyMap<string, Pair>>();

  constructor(document: Document.Parsed) {
    this.#root = document.contents;
  }

  /** Where a value stands, or the deepest one on the way to it that is there. */
  value(path: readonly PropertyKey[]): number {
    let node: unknown = this.#root;
    let offset = startOf(node) ?? 0;
    for (const step of path) {
      node = isMap(node)
        ? this.#pair(node, step)?.value
        : isSeq(node)
          ? (node.items[Number(step)] as Node)
          : undefined;
      const start = startOf(node);
      if (start === undefined) return offset;
      offset = start;
    }
    return offset;
  }

  /** Where the last step of a path stands, if it is the key of a mapping; else as `value`. */
  key(path: readonly PropertyKey[]): number {
    const above = path.slice(0, -1);
    let node: unknown = this.#root;
    for (const step of above)
      node = isMap(node) ? this.#pair(node, step)?.value : isSeq(node) ? node.items[Number(step)] : undefined;
    const pair = isMap(node) ? this.#pair(node, path.at(-1) ?? '') : undefined;
    return startOf(pair?.key) ?? this.value(path);
  }

  #pair(map: YAMLMap, key: PropertyKey): Pair | undefined {
    let pairs = this.#maps.get(map);
    if (pairs === undefined) {
      pairs = new Map(
        map.items.flatMap((pair) => (isScalar(pair.key) ? [[String(pair.key.value ?? ''), pair]] : [])),
      );
      this.#maps.set(map, pairs);
    }
    return pairs.get(String(key));
  }
}

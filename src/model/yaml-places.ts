import { type Document, isMap, isNode, isScalar, isSeq, type Node, type Pair, type YAMLMap } from 'yaml';

const startOf = (node: unknown): number | undefined => (isNode(node) ? node.range?.[0] : undefined);

/** Finds the offsets of values in the text of a document. Each mapping is indexed once. */
export class Places {
  readonly #root: unknown;
  readonly #maps = new WeakMap<YAMLMap, ReadonlyMap<string, Pair>>();

  constructor(document: Document.Parsed) {
    this.#root = document.contents;
  }

  /** The offset of the value at a path, or of its deepest existing ancestor. */
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

  /** The offset of the key at a path, or of the value if the last step is not a key. */
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

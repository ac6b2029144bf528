/** Disjoint sets (union-find). All operations take nearly constant time. */
export class Union<T> {
  readonly #parents = new Map<T, T>();

  /** The representative of the item's set. */
  find(item: T): T {
    let root = item;
    for (let next = this.#parents.get(root); next !== undefined; next = this.#parents.get(root)) root = next;
    for (let at = item; at !== root; ) {
      const next = this.#parents.get(at) ?? root;
      this.#parents.set(at, root);
      at = next;
    }
    return root;
  }

  join(a: T, b: T): void {
    const [from, to] = [this.find(a), this.find(b)];
    if (from !== to) this.#parents.set(from, to);
  }

  /** Joins all items into one set. */
  joinAll(items: readonly T[]): void {
    const [first, ...others] = items;
    if (first !== undefined) for (const item of others) this.join(first, item);
  }
}

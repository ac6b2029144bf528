import { displayNamespace } from '../model/key.ts';
import type { Service } from '../model/service.ts';
import { type Selection, selectionOf } from './selection.ts';

/** Limits on remembered selectors. */
export interface FormerLimits {
  /** Distinct selectors per Service. */
  readonly selectors: number;
  /** Distinct selectors per namespace. */
  readonly namespace: number;
  /** Services per namespace. Those that changed longest ago are dropped first. */
  readonly services: number;
  /** Namespaces. */
  readonly namespaces: number;
}

const LIMITS: FormerLimits = { selectors: 16, namespace: 256, services: 4_096, namespaces: 1_000 };

/** The former selectors of a Service, by key, or `any` if there were too many. */
export type Former = ReadonlyMap<string, Selection> | 'any';

interface Memory {
  /** By name of the Service, least recently changed first. */
  readonly services: Map<string, Map<string, Selection> | 'any'>;
  /** Number of remembered selectors. */
  count: number;
  /** Changes with the memory. */
  revision: number;
}

/**
 * The selectors that Services had before, for the life of the process. Overrides that name a Service keep applying to the
 * Pods that it selected when they were written. A Service with too many selectors counts as having selected any Pods of its
 * namespace.
 */
export class FormerSelectors {
  readonly #limits: FormerLimits;
  /** By namespace, as `displayNamespace` writes it. */
  readonly #namespaces = new Map<string, Memory>();
  #revisions = 0;

  constructor(limits: FormerLimits = LIMITS) {
    this.#limits = limits;
  }

  /** Records the selector of a Service before it changes or is deleted. */
  record(service: Service): void {
    const selection = selectionOf(service);
    const { key } = selection;
    if (key === undefined) return;
    const namespace = displayNamespace(service);
    const memory = this.#namespaces.get(namespace) ?? { services: new Map(), count: 0, revision: 0 };
    memory.revision = ++this.#revisions;
    this.#namespaces.delete(namespace);
    this.#namespaces.set(namespace, memory);
    const known = memory.services.get(service.name) ?? new Map<string, Selection>();
    memory.services.delete(service.name);
    memory.services.set(service.name, known);
    if (known !== 'any' && !known.has(key)) {
      known.set(key, selection);
      memory.count += 1;
      if (known.size > this.#limits.selectors) replaceWithAny(memory, service.name);
    }
    this.#trim(memory);
  }

  /** Changes whenever a former selector in the namespace of a Service does. `undefined` if there are none. */
  revisionOf(service: Service): number | undefined {
    return this.#namespaces.get(displayNamespace(service))?.revision;
  }

  /** The former selectors of a Service. `undefined` if there are none. */
  of(service: Service): Former | undefined {
    return this.#namespaces.get(displayNamespace(service))?.services.get(service.name);
  }

  #trim(memory: Memory): void {
    const limits = this.#limits;
    for (const name of memory.services.keys()) {
      if (memory.count <= limits.namespace) break;
      replaceWithAny(memory, name);
    }
    const [oldest] = memory.services.keys();
    if (memory.services.size > limits.services && oldest !== undefined) {
      replaceWithAny(memory, oldest);
      memory.services.delete(oldest);
    }
    const [quietest] = this.#namespaces.keys();
    if (this.#namespaces.size > limits.namespaces && quietest !== undefined)
      this.#namespaces.delete(quietest);
  }
}

/** Replaces the selectors of a Service with `any`. */
function replaceWithAny(memory: Memory, name: string): void {
  const known = memory.services.get(name);
  if (known === undefined || known === 'any') return;
  memory.count -= known.size;
  memory.services.set(name, 'any');
}

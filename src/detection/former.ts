import { displayNamespace } from '../model/key.ts';
import type { Service } from '../model/service.ts';
import { type Selection, selectionOf } from './selection.ts';

/** Limits on what is remembered. */
export interface FormerLimits {
  /** Different selectors of one Service. */
  readonly selectors: number;
  /** Different selectors of all Services of a namespace. */
  readonly namespace: number;
  /** Services of a namespace; those that changed longest ago are forgotten first. */
  readonly services: number;
  /** Namespaces. */
  readonly namespaces: number;
}

const LIMITS: FormerLimits = { selectors: 16, namespace: 256, services: 4_096, namespaces: 1_000 };

/** What one Service led to before: selectors, by their keys, or more of them than are remembered. */
export type Former = ReadonlyMap<string, Selection> | 'any';

interface Memory {
  /** By name of the Service; the one that changed longest ago comes first. */
  readonly services: Map<string, Map<string, Selection> | 'any'>;
  /** How many selectors are remembered. */
  count: number;
}

/**
 * The selectors that Services had before their owners changed them, for the life of the process: what people say about a
 * Service keeps counting for the Pods that it led to when they said it. A Service with more selectors than are remembered
 * may have led to any Pods of its namespace.
 */
export class FormerSelectors {
  readonly #limits: FormerLimits;
  /** By namespace, as `displayNamespace` writes it. */
  readonly #namespaces = new Map<string, Memory>();

  constructor(limits: FormerLimits = LIMITS) {
    this.#limits = limits;
  }

  /** Remembers a Service as it was before it changed or was deleted. */
  note(service: Service): void {
    const selection = selectionOf(service);
    const { key } = selection;
    if (key === undefined) return;
    const namespace = displayNamespace(service);
    const memory = this.#namespaces.get(namespace) ?? { services: new Map(), count: 0 };
    this.#namespaces.delete(namespace);
    this.#namespaces.set(namespace, memory);
    const known = memory.services.get(service.name) ?? new Map<string, Selection>();
    memory.services.delete(service.name);
    memory.services.set(service.name, known);
    if (known !== 'any' && !known.has(key)) {
      known.set(key, selection);
      memory.count += 1;
      if (known.size > this.#limits.selectors) giveUp(memory, service.name);
    }
    this.#trim(memory);
  }

  /** What a Service led to before; undefined where nothing is remembered of it. */
  of(service: Service): Former | undefined {
    return this.#namespaces.get(displayNamespace(service))?.services.get(service.name);
  }

  #trim(memory: Memory): void {
    const limits = this.#limits;
    for (const name of memory.services.keys()) {
      if (memory.count <= limits.namespace) break;
      giveUp(memory, name);
    }
    const [oldest] = memory.services.keys();
    if (memory.services.size > limits.services && oldest !== undefined) {
      giveUp(memory, oldest);
      memory.services.delete(oldest);
    }
    const [quietest] = this.#namespaces.keys();
    if (this.#namespaces.size > limits.namespaces && quietest !== undefined)
      this.#namespaces.delete(quietest);
  }
}

/** Forgets the selectors of a Service, and keeps that there were some. */
function giveUp(memory: Memory, name: string): void {
  const known = memory.services.get(name);
  if (known === undefined || known === 'any') return;
  memory.count -= known.size;
  memory.services.set(name, 'any');
}

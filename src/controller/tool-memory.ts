import { overlap, type Selection, selectionOf } from '../detection/selection.ts';
import type { DiscoveredService, McpTool } from '../model/discovery.ts';
import { displayNamespace } from '../model/key.ts';
import { type Service, type ServiceKey, serviceKey } from '../model/service.ts';

/** The tools with which a server was last published, and the other inputs of their comparison. */
export interface Baseline {
  tools: readonly McpTool[];
  /** `approvedTools` of its approval at that time. */
  shown: string | undefined;
}

/** Limits on the memory for servers that are not published now. */
export interface MemoryLimits {
  /** Maximum number of tools per namespace; each server counts as one more. */
  readonly tools: number;
  /** Maximum number of keys for twins per namespace. */
  readonly twins: number;
  /** Maximum number of namespaces. */
  readonly namespaces: number;
}

const LIMITS: MemoryLimits = { tools: 4_096, twins: 1_024, namespaces: 1_000 };

/** Maximum number of other Services of the same Pods under which a server is remembered. */
const MOST_TWINS = 32;

/** Maximum number of addresses by which a server is recognized. */
const MOST_ADDRESSES = 32;

interface Kept extends Baseline {
  readonly owner: ServiceKey;
  selection: Selection;
  addresses: readonly string[];
}

/** Whether a Service leads to Pods that a server had when it was last published. */
function hasPodsOf(
  { selection, addresses }: Kept,
  { service, addresses: now = [] }: DiscoveredService,
): boolean {
  return overlap(selection, selectionOf(service)) || now.some((address) => addresses.includes(address));
}

interface Memory {
  /** By Service, the least recently published first. */
  readonly own: Map<ServiceKey, Kept>;
  /** By other Services of the same Pods and by selector, for a twin that takes over. */
  readonly shared: Map<ServiceKey | string, Kept>;
  /** The limit was reached, so a server that seems new may have been forgotten. */
  forgot: boolean;
}

/** Sets an entry and makes it the last one. */
function renew<K, V>(map: Map<K, V>, key: K, value: V): void {
  map.delete(key);
  map.set(key, value);
}

/** The keys under which a Service that takes over is found: other Services of the same Pods, and the selector. */
function twinsOf({
  service,
  alternates,
  samePods = [],
  sharesPods = [],
}: DiscoveredService): (ServiceKey | string)[] {
  const { name } = service;
  const { key } = selectionOf(service);
  const names = [...new Set([...alternates, ...samePods, ...sharesPods])].filter((each) => each !== name);
  return [
    ...names.slice(0, MOST_TWINS).map((each) => serviceKey({ ...service, name: each })),
    ...(key === undefined ? [] : [`selector ${key}`]),
  ];
}

/**
 * Remembers the tools of published MCP servers, even while a server is away, for the lifetime of the process. A namespace
 * over the limit loses its own servers, unpublished ones first.
 */
export class ToolMemory {
  readonly #limits: MemoryLimits;
  /** By namespace, as `displayNamespace` formats it, the least recently published first. */
  readonly #namespaces = new Map<string, Memory>();

  constructor(limits: MemoryLimits = LIMITS) {
    this.#limits = limits;
  }

  /**
   * The previous tools of a server, or of the server that it replaces: a known twin, otherwise the most recently published
   * server on the same Pods.
   * @param published the Services that are published now, which cannot be replaced
   */
  recall(found: DiscoveredService, published: ReadonlySet<ServiceKey>): Baseline | undefined {
    const memory = this.#namespaces.get(displayNamespace(found.service));
    if (memory === undefined) return undefined;
    const key = serviceKey(found.service);
    const isFree = (each: Kept): boolean => each.owner === key || !published.has(each.owner);
    const other =
      [key, ...twinsOf(found)]
        .map((twin) => memory.own.get(twin as ServiceKey) ?? memory.shared.get(twin))
        .find((each) => each !== undefined && isFree(each)) ??
      [...memory.own.values()].findLast((each) => isFree(each) && hasPodsOf(each, found));
    return other === undefined ? undefined : { tools: other.tools, shown: other.shown };
  }

  /** Whether servers of a Service's namespace were forgotten. */
  forgot(service: Service): boolean {
    return this.#namespaces.get(displayNamespace(service))?.forgot === true;
  }

  /** Records the tools with which a server is published. */
  keep(found: DiscoveredService, now: Baseline): void {
    const namespace = displayNamespace(found.service);
    const memory = this.#namespaces.get(namespace) ?? { own: new Map(), shared: new Map(), forgot: false };
    renew(this.#namespaces, namespace, memory);
    const key = serviceKey(found.service);
    // Shared by all keys of the server, so that a twin finds its latest tools.
    const pods = {
      selection: selectionOf(found.service),
      addresses: (found.addresses ?? []).slice(0, MOST_ADDRESSES),
    };
    const baseline: Kept = Object.assign(memory.own.get(key) ?? { owner: key }, now, pods);
    renew(memory.own, key, baseline);
    for (const twin of twinsOf(found)) renew(memory.shared, twin, baseline);
  }

  /** Enforces the limits. @param published the Services that are published now */
  trim(published: ReadonlySet<ServiceKey>): void {
    let away = 0;
    for (const [namespace, memory] of [...this.#namespaces].reverse()) {
      this.#trimOne(memory, published);
      if ([...memory.own.keys()].some((key) => published.has(key))) continue;
      away += 1;
      if (away > this.#limits.namespaces) this.#namespaces.delete(namespace);
    }
  }

  #trimOne(memory: Memory, published: ReadonlySet<ServiceKey>): void {
    let tools = 0;
    for (const [key, baseline] of [...memory.own].reverse()) {
      if (published.has(key)) continue;
      tools += 1 + baseline.tools.length;
      if (tools <= this.#limits.tools) continue;
      memory.own.delete(key);
      memory.forgot = true;
    }
    const kept = new Set(memory.own.values());
    for (const [twin, baseline] of memory.shared) {
      if (kept.has(baseline) && memory.shared.size <= this.#limits.twins) continue;
      memory.shared.delete(twin);
      memory.forgot = true;
    }
  }
}

import type { McpTool, Verdict } from '../model/discovery.ts';
import { displayNamespace } from '../model/key.ts';
import { type ServiceKey, type ServiceName, serviceKey } from '../model/service.ts';

/**
 * Maximum bytes that the tools of all MCP servers of a namespace take in memory. 100 servers with 64 ordinary tools each take
 * less.
 */
const MAX_BYTES = 2 * 1024 * 1024;
/** Bytes of a tool besides its name, and of each character of its name. */
const TOOL_BYTES = 160;
const CHARACTER_BYTES = 2;
/** Bytes of the longest list that is read. */
const LONGEST_LIST = 96 * 1024;

const sizeOf = (tools: readonly McpTool[]): number =>
  tools.reduce((sum, { name }) => sum + TOOL_BYTES + CHARACTER_BYTES * name.length, 0);

const gapIn = (service: ServiceName): string =>
  `the tools of other MCP servers in namespace ${displayNamespace(service)} take all of its ${MAX_BYTES / 1024 / 1024} MiB`;

/**
 * The memory for the tools of MCP servers. Each namespace has the same amount, whatever others have, and a server that has some
 * keeps it as long as it exists, so that others cannot take it.
 */
export class ToolRoom {
  /** The bytes of each server with tools, by namespace. */
  readonly #namespaces = new Map<string, Map<ServiceKey, number>>();

  /** Why there is no memory for the tools of a server, as a clause; `undefined` if its list is worth a request. */
  whyNone(service: ServiceName): string | undefined {
    const sizes = this.#namespaces.get(displayNamespace(service));
    const isKnown = sizes?.has(serviceKey(service)) === true;
    return isKnown || this.#left(service) >= LONGEST_LIST ? undefined : gapIn(service);
  }

  /** Takes memory for the tools in a verdict. A verdict that failed takes none, and leaves the memory of an earlier one. */
  take(service: ServiceName, verdict: Verdict): Verdict {
    if (verdict.health !== 'healthy') return verdict;
    const { tools, toolsTruncated, ...rest } = verdict;
    const size = sizeOf(tools ?? []);
    const fits = size <= this.#left(service);
    this.#set(service, fits ? size : 0);
    return fits ? verdict : { ...rest, toolsGap: gapIn(service) };
  }

  /** Releases the memory of all other servers. */
  retain(services: readonly ServiceName[]): void {
    const kept = new Set(services.map(serviceKey));
    for (const [namespace, sizes] of this.#namespaces) {
      for (const key of sizes.keys()) if (!kept.has(key)) sizes.delete(key);
      if (sizes.size === 0) this.#namespaces.delete(namespace);
    }
  }

  /** The bytes that other servers of the namespace leave. */
  #left(service: ServiceName): number {
    const sizes = this.#namespaces.get(displayNamespace(service));
    let left = MAX_BYTES + (sizes?.get(serviceKey(service)) ?? 0);
    for (const size of sizes?.values() ?? []) left -= size;
    return left;
  }

  #set(service: ServiceName, size: number): void {
    const namespace = displayNamespace(service);
    const sizes = this.#namespaces.get(namespace) ?? new Map<ServiceKey, number>();
    if (size > 0) sizes.set(serviceKey(service), size);
    else sizes.delete(serviceKey(service));
    if (sizes.size > 0) this.#namespaces.set(namespace, sizes);
    else this.#namespaces.delete(namespace);
  }
}

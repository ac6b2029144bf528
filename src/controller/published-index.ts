import { membersOf } from '../model/backend.ts';
import type { BackendMember } from '../model/backend-id.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import { HOME_CLUSTER } from '../model/key.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import { defaultName, type ServiceKey, serviceKey } from '../model/service.ts';

/** Finds the published tool of a backend. Each tool belongs to at most one backend. */
export class PublishedIndex {
  readonly #byService = new Map<ServiceKey, PublishedTool>();
  readonly #byName = new Map<string, PublishedTool>();
  readonly #left: Set<PublishedTool>;

  constructor(tools: readonly PublishedTool[]) {
    this.#left = new Set(tools);
    for (const tool of tools) {
      const { cluster = HOME_CLUSTER, namespace, metadata } = tool;
      if (namespace !== undefined && metadata.service !== undefined)
        this.#byService.set(serviceKey({ cluster, namespace, name: metadata.service }), tool);
      this.#byName.set(tool.name, tool);
    }
  }

  /** Tools without a backend, from overrides. */
  get rest(): readonly PublishedTool[] {
    return [...this.#left];
  }

  /**
   * The tool of a backend: by its Services, entry point first, then by name. A tool with a URL from overrides names no
   * Service, and has the name of one.
   */
  take(backend: DiscoveredService): PublishedTool | undefined {
    const tool = this.takeOf(backend, membersOf(backend)) ?? this.#named(backend);
    if (tool !== undefined) this.#left.delete(tool);
    return tool;
  }

  /** The tool that names one of a backend's Services. */
  takeOf({ service }: DiscoveredService, members: readonly BackendMember[]): PublishedTool | undefined {
    const tool = [service, ...members]
      .map(({ name }) => this.#byService.get(serviceKey({ ...service, name })))
      .find((each) => each !== undefined && this.#left.has(each));
    if (tool !== undefined) this.#left.delete(tool);
    return tool;
  }

  #named({ tool, service, alternates }: DiscoveredService): PublishedTool | undefined {
    const names = [service.name, ...alternates].map((name) => defaultName({ ...service, name }));
    return [tool, ...names]
      .map((name) => this.#byName.get(name))
      .find((each) => each !== undefined && this.#left.has(each));
  }
}

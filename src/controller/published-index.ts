import { membersOf } from '../model/backend.ts';
import type { BackendMember } from '../model/backend-id.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import { HOME_CLUSTER } from '../model/key.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import { defaultName, type ServiceKey, serviceKey } from '../model/service.ts';

/** What is published of a backend. */
export interface PublishedOf {
  /** Its tool. */
  readonly published?: PublishedTool | undefined;
  /** The tool of another of its Services, which is published in place of its own. Only while the documents are held. */
  readonly instead?: PublishedTool | undefined;
}

/** Finds the published tool of a backend. Each tool belongs to at most one backend. */
export class PublishedIndex {
  readonly #byService = new Map<ServiceKey, PublishedTool>();
  readonly #byName = new Map<string, PublishedTool>();
  readonly #left: Set<PublishedTool>;
  readonly #areHeld: boolean;

  /**
   * @param areHeld whether something keeps the published documents as they are, such as a rollback. They may be of another
   *   time then, so a tool belongs to a backend only as far as the documents say so. Otherwise the next publication
   *   replaces what a backend had before.
   */
  constructor(tools: readonly PublishedTool[], areHeld = false) {
    this.#areHeld = areHeld;
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
  take(backend: DiscoveredService): PublishedOf {
    const found = this.#areHeld
      ? this.#exactly(backend)
      : { published: this.#ofServices(backend, membersOf(backend))[0] ?? this.#named(backend)[0] };
    for (const tool of [found.published, found.instead]) if (tool !== undefined) this.#left.delete(tool);
    return found;
  }

  /** The tool that names one of a backend's Services. */
  takeOf(backend: DiscoveredService, members: readonly BackendMember[]): PublishedTool | undefined {
    const [tool] = this.#ofServices(backend, members);
    if (tool !== undefined) this.#left.delete(tool);
    return tool;
  }

  /** The tool that leads to a backend's entry point, or has its name and leads to one of its Services. */
  #exactly(backend: DiscoveredService): PublishedOf {
    const { service, tool: name } = backend;
    const theirs = this.#ofServices(backend, membersOf(backend));
    const own =
      theirs.find(({ metadata }) => metadata.service === service.name) ??
      theirs.find((each) => each.name === name) ??
      this.#named(backend).find(
        ({ metadata, endpoint }) =>
          metadata.service === undefined || URL.parse(endpoint)?.hostname === backend.endpoint.host,
      );
    return own === undefined ? { instead: theirs[0] } : { published: own };
  }

  #ofServices({ service }: DiscoveredService, members: readonly BackendMember[]): readonly PublishedTool[] {
    return [service, ...members]
      .map(({ name }) => this.#byService.get(serviceKey({ ...service, name })))
      .filter((each) => each !== undefined && this.#left.has(each)) as readonly PublishedTool[];
  }

  #named({ tool, service, alternates }: DiscoveredService): readonly PublishedTool[] {
    const names = [service.name, ...alternates].map((name) => defaultName({ ...service, name }));
    return [tool, ...names]
      .map((name) => this.#byName.get(name))
      .filter((each) => each !== undefined && this.#left.has(each)) as readonly PublishedTool[];
  }
}

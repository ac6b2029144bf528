import { groupOf } from '../model/backend.ts';
import { assignIds, type BackendGroup, type BackendId } from '../model/backend-id.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import { keyOfService, type ServiceKey } from '../model/service.ts';
import type { Groups } from '../planning/backend-groups.ts';

/** Ids of backends by their entry points. */
export type Ids = ReadonlyMap<ServiceKey, BackendId>;

const memberKeys = ({ namespace, members }: BackendGroup): string[] =>
  members.map(({ name }) => `${namespace}/${name}`);

/** Assigns stable ids to backends. Published groups keep them stable across restarts. */
export class BackendIds {
  /** The groups of the last discovery, and published ones that it did not find. */
  #groups: Groups = new Map();
  #ids: ReadonlyMap<DiscoveredService, BackendId> = new Map();
  /** Ids of published backends. */
  #published: ReadonlySet<BackendId> = new Set();

  get groups(): Groups {
    return this.#groups;
  }

  /** Restores published ids. They take precedence over ids of this process. */
  restore(published: Groups): void {
    const taken = new Set([...published.values()].flatMap(memberKeys));
    const others = [...this.#groups].filter(
      ([id, group]) => !published.has(id) && !memberKeys(group).some((key) => taken.has(key)),
    );
    this.#groups = new Map([...published, ...others]);
    this.#ids = new Map();
    this.keep(published);
  }

  /** Keeps the ids of published backends, even while they are not found. */
  keep(published: Groups): void {
    this.#published = new Set(published.keys());
  }

  /** Assigns ids to discovered services. An unchanged object keeps its id without a comparison. */
  assign(found: readonly DiscoveredService[]): Ids {
    const ids = new Map<DiscoveredService, BackendId>();
    for (const service of found) {
      const id = this.#ids.get(service);
      if (id !== undefined) ids.set(service, id);
    }
    const others = found.filter((service) => !ids.has(service));
    const kept = new Set(ids.values());
    const free = new Map([...this.#groups].filter(([id]) => !kept.has(id)));
    const given = assignIds(others.map(groupOf), free, kept);
    for (const [place, service] of others.entries()) ids.set(service, given[place] ?? '');
    const seen = new Set(ids.values());
    const gone = [...free].filter(([id]) => !seen.has(id) && this.#published.has(id));
    this.#ids = ids;
    this.#groups = new Map([
      ...found.map((service) => [ids.get(service) ?? '', groupOf(service)] as const),
      ...gone,
    ]);
    return new Map(found.map((service) => [keyOfService(service.service), ids.get(service) ?? '']));
  }
}

/** The ids for a single discovery. @param published the groups of the published backends, which keep their ids */
export function idsOf(found: readonly DiscoveredService[], published: Groups): Ids {
  const ids = new BackendIds();
  ids.restore(published);
  return ids.assign(found);
}

import type { ReadModel } from '../controller/read-model.ts';
import type { Backend, PlacedTool } from '../model/backend.ts';
import type { BackendId } from '../model/backend-id.ts';
import { type DiscoveredService, endpointUrl } from '../model/discovery.ts';
import { namesOf, shardOf } from '../model/documents.ts';
import { clusterField } from '../model/key.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import { type ConditionJson, conditionJson } from './backend-json.ts';

/** A tool in the API: what is published, and its backend. */
export interface Toolset {
  readonly name: string;
  readonly type: string;
  readonly enabled: boolean;
  readonly healthy: boolean | null;
  /** Whether it is in any document. */
  readonly published: boolean;
  /** Whether each document contains it; null if only the leader knows. */
  readonly documents: Readonly<Record<string, boolean>> | null;
  readonly config: PublishedTool | null;
  readonly serviceEndpoint: string;
  /** Absent for the home cluster. */
  readonly cluster?: string;
  readonly namespace: string | null;
  readonly discoveredAt: string | null;
  readonly lastHealthCheck: string | null;
  /** The reason of the last probe result, on one line, and the time of the last change of health. */
  readonly healthReason: string | null;
  readonly healthSince: string | null;
  /** The backend; null for a tool without one, as from overrides. */
  readonly backend: BackendId | null;
  readonly conditions: readonly ConditionJson[];
}

/** The health of a backend; `null` if unknown. */
export const isHealthy = ({ verdict: { health } }: DiscoveredService): boolean | null =>
  health === 'unknown' ? null : health === 'healthy';

/** Whether each published document contains a tool. */
function documentsOf(
  { published: observed }: ReadModel,
  { published, leftOutOf }: Pick<Backend, 'leftOutOf'> & { readonly published: PublishedTool | undefined },
): Toolset['documents'] {
  if (leftOutOf === undefined) return null;
  const names = new Set(namesOf(observed?.present.documents ?? {}).map((name) => shardOf(name).document));
  return Object.fromEntries(
    [...names].map((name) => [name, published !== undefined && !leftOutOf.includes(name)]),
  );
}

/** The tool of a backend. If the backend is no longer found, only the published fields are known. */
function toolsetOf(readModel: ReadModel, backend: Backend): Toolset {
  const { id, found, published, enabled, conditions, isFound } = backend;
  const history = isFound ? readModel.history(id) : undefined;
  return {
    name: published?.name ?? found.tool,
    type: published?.type ?? found.type,
    enabled,
    healthy: isFound ? isHealthy(found) : null,
    published: published !== undefined,
    documents: documentsOf(readModel, backend),
    config: published ?? null,
    serviceEndpoint: published?.endpoint ?? endpointUrl(found.endpoint),
    ...clusterField(found.service),
    namespace: published?.namespace ?? found.service.namespace,
    discoveredAt: history?.discoveredAt.toISOString() ?? null,
    lastHealthCheck: history?.checkedAt?.toISOString() ?? null,
    healthReason: isFound ? found.verdict.reason : null,
    healthSince: history?.health.at(-1)?.time.toISOString() ?? null,
    backend: id,
    conditions: conditions.map(conditionJson),
  };
}

/** A tool from overrides. */
const ownToolset = (readModel: ReadModel, own: PlacedTool): Toolset => {
  const { published: tool } = own;
  return {
    name: tool.name,
    type: tool.type,
    enabled: true,
    healthy: null,
    published: true,
    documents: documentsOf(readModel, own),
    config: tool,
    serviceEndpoint: tool.endpoint,
    ...(tool.cluster === undefined ? {} : { cluster: tool.cluster }),
    namespace: tool.namespace ?? null,
    discoveredAt: null,
    lastHealthCheck: null,
    healthReason: null,
    healthSince: null,
    backend: null,
    conditions: [],
  };
};

/** The tool of another Service of a backend, which a hold keeps in place of the backend's own. */
const insteadOf = (readModel: ReadModel, { id, conditions, instead }: Backend): readonly Toolset[] =>
  instead === undefined
    ? []
    : [{ ...ownToolset(readModel, instead), backend: id, conditions: conditions.map(conditionJson) }];

/**
 * All tools by name: published ones, and those of backends that are not published because they are unhealthy or disabled.
 * A published tool is last among those of its name, so that it counts.
 */
export function toolsetsOf(readModel: ReadModel): Toolset[] {
  const { backends, ownTools } = readModel.backends;
  return [
    ...backends.map((backend) => toolsetOf(readModel, backend)),
    ...backends.flatMap((backend) => insteadOf(readModel, backend)),
    ...ownTools.map((own) => ownToolset(readModel, own)),
  ].sort((a, b) =>
    a.name === b.name ? Number(a.published) - Number(b.published) : a.name < b.name ? -1 : 1,
  );
}

/** The tools for the API, computed once per state of the read model. */
export class Toolsets {
  readonly #readModel: ReadModel;
  #of: number | undefined;
  #byName: ReadonlyMap<string, Toolset> = new Map();

  constructor(readModel: ReadModel) {
    this.#readModel = readModel;
  }

  /** By name. */
  all(): readonly Toolset[] {
    return [...this.#current().values()];
  }

  named(name: string): Toolset | undefined {
    return this.#current().get(name);
  }

  #current(): ReadonlyMap<string, Toolset> {
    const { revision } = this.#readModel;
    if (revision !== this.#of)
      this.#byName = new Map(toolsetsOf(this.#readModel).map((each) => [each.name, each]));
    this.#of = revision;
    return this.#byName;
  }
}

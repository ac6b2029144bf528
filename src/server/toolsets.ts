import type { ReadModel } from '../controller/read-model.ts';
import { type DiscoveredService, endpointUrl } from '../model/discovery.ts';
import { OVERRIDES_KEY } from '../model/documents.ts';
import { defaultName, type ServiceKey, serviceKey } from '../model/service.ts';

/** One entry of `toolset.json`, as it is published. */
interface Tool {
  readonly name: string;
  readonly type: string;
  readonly endpoint: string;
  readonly namespace?: string;
}

/** A tool as the API tells it: what is published, and the backend behind it. */
export interface Toolset {
  readonly name: string;
  readonly type: string;
  readonly enabled: boolean;
  readonly healthy: boolean | null;
  readonly published: boolean;
  readonly config: Tool | null;
  readonly serviceEndpoint: string;
  readonly namespace: string | null;
  readonly discoveredAt: string | null;
  readonly lastHealthCheck: string | null;
  /** What the last probe found, on one line, and since when its health is so. */
  readonly healthReason: string | null;
  readonly healthSince: string | null;
}

/** The published tools by name; none where nothing is published, or nothing that can be read. */
function publishedTools({ published }: ReadModel): Map<string, Tool> {
  try {
    const { tools } = JSON.parse(published?.data['toolset.json'] ?? '{"tools":[]}') as { tools: Tool[] };
    return new Map(tools.map((tool) => [tool.name, tool]));
  } catch {
    return new Map();
  }
}

/** What a service says of its backend's health: `null` where that is not known. */
export const isHealthy = ({ verdict: { health } }: DiscoveredService): boolean | null =>
  health === 'unknown' ? null : health === 'healthy';

function toolsetOf(
  readModel: ReadModel,
  service: DiscoveredService | undefined,
  tool: Tool | undefined,
  enabled: boolean,
): Toolset {
  const history = service === undefined ? undefined : readModel.history(service);
  return {
    name: tool?.name ?? service?.tool ?? '',
    type: tool?.type ?? service?.type ?? '',
    enabled,
    healthy: service === undefined ? null : isHealthy(service),
    published: tool !== undefined,
    config: tool ?? null,
    serviceEndpoint: tool?.endpoint ?? (service === undefined ? '' : endpointUrl(service.endpoint)),
    namespace: tool?.namespace ?? service?.service.namespace ?? null,
    discoveredAt: history?.discoveredAt.toISOString() ?? null,
    lastHealthCheck: history?.checkedAt?.toISOString() ?? null,
    healthReason: service?.verdict.reason ?? null,
    healthSince: history?.health.at(-1)?.time.toISOString() ?? null,
  };
}

/** The backends that overrides switch off, by the keys of their Services. */
export type SwitchedOff = (
  overrides: string | undefined,
  services: readonly DiscoveredService[],
) => ReadonlySet<ServiceKey>;

/** The names under which a backend may be published: a person's URL for it stands under the name of its Service. */
function namesOf({ tool, service: { namespace, name }, alternates }: DiscoveredService): string[] {
  return [tool, ...[name, ...alternates].map((member) => defaultName({ namespace, name: member }))];
}

/**
 * All tools by name: those that are published, and backends that are not, because they are unhealthy or switched off.
 * @param switchedOff which backends the overrides' text switches off
 */
export function toolsetsOf(readModel: ReadModel, switchedOff: SwitchedOff): Toolset[] {
  const tools = publishedTools(readModel);
  const off = switchedOff(readModel.published?.data[OVERRIDES_KEY], readModel.services);
  const result: Toolset[] = [];
  for (const service of readModel.services) {
    const tool = namesOf(service)
      .map((name) => tools.get(name))
      .find((each) => each !== undefined);
    result.push(toolsetOf(readModel, service, tool, !off.has(serviceKey(service.service))));
    if (tool !== undefined) tools.delete(tool.name);
  }
  for (const tool of tools.values()) result.push(toolsetOf(readModel, undefined, tool, true));
  return result.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The tools that the API tells of, made once for each state of the read model and not for each request. */
export class Toolsets {
  readonly #readModel: ReadModel;
  readonly #switchedOff: SwitchedOff;
  #of: number | undefined;
  #byName: ReadonlyMap<string, Toolset> = new Map();

  /** @param switchedOff which backends the overrides' text switches off */
  constructor(readModel: ReadModel, switchedOff: SwitchedOff) {
    this.#readModel = readModel;
    this.#switchedOff = switchedOff;
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
      this.#byName = new Map(toolsetsOf(this.#readModel, this.#switchedOff).map((each) => [each.name, each]));
    this.#of = revision;
    return this.#byName;
  }
}

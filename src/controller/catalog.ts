import { isDeepStrictEqual } from 'node:util';
import { type Backend, membersOf, type PlacedTool } from '../model/backend.ts';
import type { BackendId } from '../model/backend-id.ts';
import { originOf } from '../model/bare-address.ts';
import { transitions } from '../model/condition.ts';
import { type DiscoveredService, endpointUrl } from '../model/discovery.ts';
import { type Cut, documentsWithout, type Omission } from '../model/documents.ts';
import type { Overrides } from '../model/overrides.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import { keyOfService, type ServiceKey, serviceKey, toolKey } from '../model/service.ts';
import type { LeftOutOf } from '../outputs/outputs.ts';
import { type AdmissionPolicy, admissionOf } from '../planning/admission.ts';
import { findingsOf } from '../planning/conditions/conditions.ts';
import {
  areDocumentsHeld,
  type PublicationState,
  type StandingFacts,
} from '../planning/conditions/published.ts';
import { type Change, resolveOverrides } from '../planning/override-keys.ts';
import { switchedOffBeside } from '../planning/switched-off.ts';
import type { Ids } from './backend-ids.ts';
import { PublishedIndex, type PublishedOf } from './published-index.ts';

/** The inputs of backends and their conditions. */
export interface CatalogInputs {
  /** The results of the last discovery. */
  readonly found: readonly DiscoveredService[];
  /** Ids of the discovered backends, by their entry points. */
  readonly ids: Ids;
  /** The published tools. */
  readonly tools: readonly PublishedTool[];
  readonly overrides: Overrides;
  readonly policy: AdmissionPolicy;
  readonly publication: PublicationState;
  readonly cuts: readonly Cut[];
  readonly omissions: readonly Omission[];
  /** The published documents that do not contain a tool, as they are. Absent: it is what the inputs would leave out. */
  readonly leftOutOf?: LeftOutOf | undefined;
  /** No backend is reachable, so the previous verdicts stay. */
  readonly isOutage?: boolean;
}

type Facts = Parameters<typeof findingsOf>[1];

function ownToolsOf(
  tools: readonly PublishedTool[],
  { omissions, publication, leftOutOf }: CatalogInputs,
): readonly PlacedTool[] {
  const byName = Map.groupBy(omissions, ({ tool }) => tool);
  return tools.map((published) => ({
    published,
    leftOutOf: publication.decides
      ? (leftOutOf?.(published) ?? documentsWithout(byName.get(published.name) ?? []))
      : undefined,
  }));
}

/** The known backends, with stable identities and conditions. */
export class Catalog {
  #backends: readonly Backend[] = [];
  #byService: ReadonlyMap<ServiceKey, Backend> = new Map();
  #byFound: ReadonlyMap<DiscoveredService, Backend> = new Map();
  #ownTools: readonly PlacedTool[] = [];
  #inputs: CatalogInputs | undefined;

  /**
   * The backends of the last discovery, in its order, then those that it did not find and whose tools are still published.
   */
  get backends(): readonly Backend[] {
    return this.#backends;
  }

  /** Published tools without a backend: from overrides, or of backends that were not found since the start. */
  get ownTools(): readonly PlacedTool[] {
    return this.#ownTools;
  }

  /** The backend with a Service as its entry point. */
  of(key: ServiceKey): Backend | undefined {
    return this.#byService.get(key);
  }

  /** Rebuilds the backends from the inputs. Transition times of conditions are kept. */
  update(given: CatalogInputs, now: Date): void {
    const { found, ids, tools, publication } = given;
    const areHeld = areDocumentsHeld(publication);
    // Otherwise the published documents are what the inputs produce, or soon will be. Only the leader knows that.
    const inputs = areHeld || !publication.decides ? given : { ...given, leftOutOf: undefined };
    const known = new Map(this.#backends.map((backend) => [backend.id, backend]));
    const isReusable = this.#inputs !== undefined && sameFrame(this.#inputs, inputs);
    this.#inputs = inputs;
    const index = new PublishedIndex(tools, areHeld);
    const factsOf = sharedFacts(inputs);
    const make = (
      id: BackendId,
      service: DiscoveredService,
      published: PublishedOf,
      isFound: boolean,
    ): Backend => backendOf(id, service, published, factsOf(service, published, isFound), known.get(id), now);
    const backends = found.map((service) => {
      const id = ids.get(keyOfService(service.service)) ?? '';
      const taken = index.take(service);
      const { published, instead } = taken;
      const before = this.#byFound.get(service);
      if (
        !isReusable ||
        before === undefined ||
        before.id !== id ||
        (before.published === undefined) !== (published === undefined) ||
        (areHeld && before.published !== published) ||
        before.instead?.published !== instead
      )
        return make(id, service, taken, true);
      return before.published === published ? before : { ...before, published };
    });
    const seen = new Set(ids.values());
    const gone = [...known].flatMap(([id, { found: last }]) => {
      const published = seen.has(id) ? undefined : index.takeOf(last, membersOf(last));
      return published === undefined ? [] : [make(id, last, { published }, false)];
    });
    this.#backends = [...backends, ...gone];
    this.#byService = new Map(this.#backends.map((backend) => [serviceKey(backend.found.service), backend]));
    this.#byFound = new Map(backends.map((backend) => [backend.found, backend]));
    this.#ownTools = ownToolsOf(index.rest, inputs);
  }
}

/**
 * Whether all inputs are the same except the result and the published tool of single backends. Backends depend on each other
 * while overrides disable one.
 */
function sameFrame(one: CatalogInputs, other: CatalogInputs): boolean {
  const isOff = Object.values(other.overrides.tools).some(({ enabled }) => enabled === false);
  return (
    !isOff &&
    one.overrides === other.overrides &&
    one.cuts === other.cuts &&
    one.omissions === other.omissions &&
    one.leftOutOf === other.leftOutOf &&
    one.isOutage === other.isOutage &&
    isDeepStrictEqual(
      [one.policy.mcpPolicy, one.policy.namespaces, one.publication],
      [other.policy.mcpPolicy, other.policy.namespaces, other.publication],
    )
  );
}

function backendOf(
  id: BackendId,
  found: DiscoveredService,
  { published, instead }: PublishedOf,
  facts: Facts & { readonly enabled: boolean; readonly insteadLeftOutOf: readonly string[] },
  before: Backend | undefined,
  now: Date,
): Backend {
  const { service, endpoint, type, tool } = found;
  const { state, standing, cuts, omissions, insteadLeftOutOf } = facts;
  return {
    id,
    type,
    tool,
    members: membersOf(found),
    entryPoint: { service, endpoint },
    approval: facts.approval,
    enabled: facts.enabled,
    published,
    instead: instead && {
      published: instead,
      leftOutOf: state.decides ? insteadLeftOutOf : undefined,
    },
    leftOutOf: standing?.leftOutOf ?? (state.decides ? documentsWithout([...cuts, ...omissions]) : undefined),
    isFound: facts.isFound,
    found,
    conditions: transitions(findingsOf(found, facts), before?.conditions ?? [], now),
  };
}

/** What documents that are kept as they are contain of a backend. `undefined` if they are what the inputs produce. */
function standingOf(
  found: DiscoveredService,
  { published, instead }: PublishedOf,
  hasOwnAddress: boolean,
  leftOutOf: LeftOutOf | undefined,
): StandingFacts | undefined {
  if (published === undefined) return instead && { instead };
  if (leftOutOf === undefined) return undefined;
  const { name, endpoint } = published;
  const isSame =
    name === found.tool && (hasOwnAddress || originOf(endpoint) === originOf(endpointUrl(found.endpoint)));
  return {
    leftOutOf: leftOutOf(published, found.mappings),
    ...(isSame ? {} : { differently: published }),
  };
}

/** Computes the facts that all backends share. */
function sharedFacts({
  found,
  overrides,
  policy,
  publication,
  isOutage = false,
  leftOutOf,
  ...output
}: CatalogInputs) {
  const changes: ReadonlyMap<ServiceKey, Change> = resolveOverrides(found, overrides).changes;
  const offBeside = switchedOffBeside(found, overrides);
  const cuts = Map.groupBy(output.cuts, (cut) => cut.key);
  const omissions = Map.groupBy(output.omissions, (omission) => omission.key);
  return (
    service: DiscoveredService,
    taken: PublishedOf,
    isFound: boolean,
  ): Facts & { readonly enabled: boolean; readonly insteadLeftOutOf: readonly string[] } => {
    const key = serviceKey(service.service);
    const shown = toolKey(service.service);
    const override = changes.get(key)?.override;
    const enabled = override?.enabled !== false;
    const hasOwnAddress = override?.endpoint !== undefined;
    const { published, instead } = taken;
    return {
      state: publication,
      namespace: service.service.namespace,
      isOutage,
      isPublished: published !== undefined,
      tool: published?.name,
      standing: standingOf(service, taken, hasOwnAddress, leftOutOf),
      insteadLeftOutOf: (instead && leftOutOf?.(instead, service.mappings)) ?? [],
      isFound,
      approval: admissionOf(service, policy, overrides),
      enabled,
      switchedOff: enabled ? offBeside(service) : 'overrides.yaml switches it off (enabled: false)',
      hasOwnAddress,
      cuts: cuts.get(shown) ?? [],
      omissions: omissions.get(shown) ?? [],
    };
  };
}

import { isDeepStrictEqual } from 'node:util';
import { type Backend, membersOf } from '../model/backend.ts';
import type { BackendId } from '../model/backend-id.ts';
import { transitions } from '../model/condition.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import { type Cut, documentsWithout, type Omission } from '../model/documents.ts';
import type { Overrides } from '../model/overrides.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import { keyOfService, type ServiceKey, serviceKey, toolKey } from '../model/service.ts';
import { type AdmissionPolicy, admissionOf } from '../planning/admission.ts';
import { findingsOf } from '../planning/conditions/conditions.ts';
import type { PublicationState } from '../planning/conditions/published.ts';
import { type Change, resolveOverrides } from '../planning/override-keys.ts';
import { switchedOffBeside } from '../planning/switched-off.ts';
import type { Ids } from './backend-ids.ts';
import { PublishedIndex } from './published-index.ts';

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
  /** No backend is reachable, so the previous verdicts stay. */
  readonly isOutage?: boolean;
}

type Facts = Parameters<typeof findingsOf>[1];

/** A published tool without a backend. */
export interface OwnTool {
  readonly published: PublishedTool;
  /** The documents that do not contain it. `undefined` if only the leader knows. */
  readonly leftOutOf: readonly string[] | undefined;
}

function ownToolsOf(
  tools: readonly PublishedTool[],
  { omissions, publication }: CatalogInputs,
): readonly OwnTool[] {
  const byName = Map.groupBy(omissions, ({ tool }) => tool);
  return tools.map((published) => ({
    published,
    leftOutOf: publication.decides ? documentsWithout(byName.get(published.name) ?? []) : undefined,
  }));
}

/** The known backends, with stable identities and conditions. */
export class Catalog {
  #backends: readonly Backend[] = [];
  #byService: ReadonlyMap<ServiceKey, Backend> = new Map();
  #byFound: ReadonlyMap<DiscoveredService, Backend> = new Map();
  #ownTools: readonly OwnTool[] = [];
  #inputs: CatalogInputs | undefined;

  /**
   * The backends of the last discovery, in its order, then those that it did not find and whose tools are still published.
   */
  get backends(): readonly Backend[] {
    return this.#backends;
  }

  /** Published tools without a backend: from overrides, or of backends that were not found since the start. */
  get ownTools(): readonly OwnTool[] {
    return this.#ownTools;
  }

  /** The backend with a Service as its entry point. */
  of(key: ServiceKey): Backend | undefined {
    return this.#byService.get(key);
  }

  /** Rebuilds the backends from the inputs. Transition times of conditions are kept. */
  update(inputs: CatalogInputs, now: Date): void {
    const { found, ids, tools } = inputs;
    const known = new Map(this.#backends.map((backend) => [backend.id, backend]));
    const isReusable = this.#inputs !== undefined && sameFrame(this.#inputs, inputs);
    this.#inputs = inputs;
    const index = new PublishedIndex(tools);
    const factsOf = sharedFacts(inputs);
    const make = (
      id: BackendId,
      service: DiscoveredService,
      published: PublishedTool | undefined,
      isFound: boolean,
    ): Backend => backendOf(id, service, published, factsOf(service, published, isFound), known.get(id), now);
    const backends = found.map((service) => {
      const id = ids.get(keyOfService(service.service)) ?? '';
      const published = index.take(service);
      const before = this.#byFound.get(service);
      if (
        !isReusable ||
        before === undefined ||
        before.id !== id ||
        (before.published === undefined) !== (published === undefined)
      )
        return make(id, service, published, true);
      return before.published === published ? before : { ...before, published };
    });
    const seen = new Set(ids.values());
    const gone = [...known].flatMap(([id, { found: last }]) => {
      const published = seen.has(id) ? undefined : index.takeOf(last, membersOf(last));
      return published === undefined ? [] : [make(id, last, published, false)];
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
  published: PublishedTool | undefined,
  facts: Facts & { readonly enabled: boolean },
  before: Backend | undefined,
  now: Date,
): Backend {
  const { service, endpoint, type, tool } = found;
  return {
    id,
    type,
    tool,
    members: membersOf(found),
    entryPoint: { service, endpoint },
    approval: facts.approval,
    enabled: facts.enabled,
    published,
    leftOutOf: facts.state.decides ? documentsWithout([...facts.cuts, ...facts.omissions]) : undefined,
    isFound: facts.isFound,
    found,
    conditions: transitions(findingsOf(found, facts), before?.conditions ?? [], now),
  };
}

/** Computes the facts that all backends share. */
function sharedFacts({ found, overrides, policy, publication, isOutage = false, ...output }: CatalogInputs) {
  const changes: ReadonlyMap<ServiceKey, Change> = resolveOverrides(found, overrides).changes;
  const offBeside = switchedOffBeside(found, overrides);
  const cuts = Map.groupBy(output.cuts, (cut) => cut.key);
  const omissions = Map.groupBy(output.omissions, (omission) => omission.key);
  return (
    service: DiscoveredService,
    published: PublishedTool | undefined,
    isFound: boolean,
  ): Facts & { readonly enabled: boolean } => {
    const key = serviceKey(service.service);
    const shown = toolKey(service.service);
    const override = changes.get(key)?.override;
    const enabled = override?.enabled !== false;
    return {
      state: publication,
      namespace: service.service.namespace,
      isOutage,
      isPublished: published !== undefined,
      isFound,
      approval: admissionOf(service, policy, overrides),
      enabled,
      switchedOff: enabled ? offBeside(service) : 'overrides.yaml switches it off (enabled: false)',
      hasOwnAddress: override?.endpoint !== undefined,
      cuts: cuts.get(shown) ?? [],
      omissions: omissions.get(shown) ?? [],
    };
  };
}

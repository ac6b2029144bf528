import { type Approvals, changedNamespaces, NO_APPROVALS } from '../model/approvals.ts';
import { displayNamespace, HOME_CLUSTER, partsOf } from '../model/key.ts';
import type { InUseSince } from '../model/seniority.ts';
import { keyOfService, type Service, type ServiceKey, serviceKey } from '../model/service.ts';
import {
  type Detection,
  detectNamespace,
  type Examined,
  examine,
  mergeNamespaces,
  NamespaceMemory,
  nonBackend,
} from './detect.ts';
import { FormerSelectors } from './former-selectors.ts';
import type { DetectOptions } from './owner.ts';
import type { Rules } from './rules.ts';
import { selectionOf } from './selection.ts';

/** The state of one namespace. */
interface NamespaceState {
  readonly examined: Map<ServiceKey, Examined>;
  readonly memory: NamespaceMemory;
  /** The result for the namespace. */
  detection: Detection | undefined;
  /** Whether the result is up to date. */
  isFresh: boolean;
  /** Its Services in use, and since when, if it has too many. */
  inUse: string;
}

/** Maximum rounds per detection. Services that change constantly are left to the next one, so that they delay no others. */
const MAX_ROUNDS = 3;

/** Whether a Service is irrelevant: no detector matches, and there is nothing to report. */
const isNothing = ({ member, nonBackend, problems }: Examined): boolean =>
  member === undefined && nonBackend === undefined && problems.length === 0;

const namespaceOf = (key: ServiceKey): string => displayNamespace(partsOf(key));

/**
 * Incremental detection: the same result as `detect` of all Services, at the cost of what changed. Changes are only
 * recorded. The next detection examines changed Services, and regroups their namespaces if necessary.
 */
export class LiveDetection {
  /** The former selectors of Services. */
  readonly former: FormerSelectors;
  readonly #rules: Rules;
  #options: DetectOptions;
  /** By namespace, as `displayNamespace` writes it. */
  readonly #namespaces = new Map<string, NamespaceState>();
  /** The resourceVersions of all Services. */
  readonly #versions = new Map<ServiceKey, string | undefined>();
  /** Services to examine. */
  readonly #pending = new Map<ServiceKey, Service>();
  #detection: Detection | undefined;

  /** @param former former selectors of a previous instance */
  constructor(rules: Rules, options: DetectOptions, former = new FormerSelectors()) {
    this.former = former;
    this.#rules = rules;
    this.#options = options;
  }

  /** Number of Services. */
  get size(): number {
    return this.#versions.size;
  }

  /** The relevant and the pending Services of a namespace. */
  servicesIn(namespace: string): Service[] {
    const examined = [...(this.#namespaces.get(namespace)?.examined.values() ?? [])];
    const services = examined.flatMap(({ member, nonBackend }) => member?.match.service ?? nonBackend ?? []);
    const pending = [...this.#pending.values()].filter((service) => displayNamespace(service) === namespace);
    const byKey = [...services, ...pending].map((service) => [serviceKey(service), service] as const);
    return [...new Map(byKey).values()];
  }

  /** Applies changed approvals. */
  approve(approvals: Approvals): void {
    const changed = changedNamespaces(this.#options.approvals ?? NO_APPROVALS, approvals);
    if (changed.size === 0) return;
    this.#options = { ...this.#options, approvals };
    for (const namespace of changed) {
      const state = this.#namespaces.get(namespace);
      if (state !== undefined) this.#touch(state);
    }
  }

  /** Applies what is in use, which decides in namespaces with too many Services. */
  prefer(inUseSince: InUseSince): void {
    this.#options = { ...this.#options, inUseSince };
    for (const state of this.#namespaces.values()) {
      if (state.detection?.beyondNamespaceLimit === undefined) continue;
      const inUse = [...state.examined]
        .flatMap(([key, { parts = [] }]) => [key, ...parts.map(({ match }) => keyOfService(match.service))])
        .flatMap((key) => (inUseSince.has(key) ? `${key} ${inUseSince.get(key)?.at}` : []))
        .join();
      if (inUse === state.inUse) continue;
      state.inUse = inUse;
      this.#touch(state);
    }
  }

  /** Adds or updates a Service. Services with an unchanged resourceVersion are skipped. */
  put(service: Service): void {
    const key = serviceKey(service);
    const { version } = service;
    if (version !== undefined && this.#versions.get(key) === version) return;
    this.#versions.set(key, version);
    this.#pending.set(key, service);
  }

  /** Removes a Service. */
  drop(key: ServiceKey): void {
    this.#versions.delete(key);
    this.#pending.delete(key);
    this.#remember(key, undefined);
    this.#forget(key);
  }

  /**
   * Replaces all Services of a cluster, except those of unread namespaces; `*` is all namespaces. Other clusters do not
   * change.
   */
  replace(services: readonly Service[], unread: ReadonlySet<string>, cluster: string = HOME_CLUSTER): void {
    const kept = new Set(services.map(serviceKey));
    const stands = (key: ServiceKey): boolean => {
      if (kept.has(key)) return true;
      const parts = partsOf(key);
      return parts.cluster !== cluster || unread.has('*') || unread.has(parts.namespace);
    };
    for (const key of this.#versions.keys()) if (!stands(key)) this.drop(key);
    for (const service of services) this.put(service);
  }

  /** Runs detection. Returns the same object while nothing relevant changes. */
  detect(): Detection {
    for (const _ of this.#steps());
    return this.#current();
  }

  /**
   * Like `detect`, in small steps of one Service or one backend.
   * @param pause awaited after each step. Changes in the meantime are included, unless their namespace is done.
   */
  async detectInSteps(pause: () => Promise<void> | undefined): Promise<Detection> {
    for (const _ of this.#steps()) await pause();
    return this.#current();
  }

  /**
   * Updates all namespaces step by step, each once: changes in a namespace that has been grouped are left to the next detection.
   */
  *#steps(): Generator<void, void, undefined> {
    const grouped = new Set<string>();
    let isDone = false;
    for (let round = 0; round < MAX_ROUNDS && !isDone; round++) {
      for (const [key, service] of [...this.#pending]) {
        if (this.#pending.get(key) !== service || grouped.has(displayNamespace(service))) continue;
        this.#pending.delete(key);
        this.#examine(key, service);
        yield;
      }
      isDone = true;
      for (const [namespace, state] of this.#namespaces) {
        if (state.isFresh || grouped.has(namespace)) continue;
        grouped.add(namespace);
        state.isFresh = true;
        state.detection = yield* detectNamespace(
          [...state.examined.values()],
          this.#rules,
          this.#options,
          this.former,
          state.memory,
        );
        this.#detection = undefined;
        isDone = false;
        yield;
      }
    }
  }

  #current(): Detection {
    this.#detection ??= mergeNamespaces(
      [...this.#namespaces.values()].flatMap(({ detection }) => detection ?? []),
    );
    return this.#detection;
  }

  #examine(key: ServiceKey, service: Service): void {
    const found = examine(service, this.#rules, this.#options);
    this.#remember(key, isNothing(found) ? undefined : service);
    // A former backend still counts for the Pods that it selected.
    const isKept = isNothing(found) && this.former.of(service) !== undefined;
    const examined = isKept ? nonBackend(service) : found;
    if (isNothing(examined)) {
      this.#forget(key);
      return;
    }
    const namespace = displayNamespace(service);
    const state = this.#namespaces.get(namespace) ?? {
      examined: new Map(),
      memory: new NamespaceMemory(this.#rules),
      detection: undefined,
      isFresh: false,
      inUse: '',
    };
    state.examined.set(key, examined);
    this.#namespaces.set(namespace, state);
    this.#touch(state);
  }

  /** Records the former selector of a Service if it changes. @param now the Service, if it is still relevant */
  #remember(key: ServiceKey, now: Service | undefined): void {
    const known = this.#namespaces.get(namespaceOf(key))?.examined.get(key);
    const before = known?.member?.match.service ?? known?.nonBackend;
    if (before === undefined) return;
    if (now === undefined || selectionOf(before).key !== selectionOf(now).key) this.former.record(before);
  }

  /** Removes a Service that is no longer relevant. */
  #forget(key: ServiceKey): void {
    const state = this.#namespaces.get(namespaceOf(key));
    if (state?.examined.delete(key) !== true) return;
    if (state.examined.size === 0) this.#namespaces.delete(namespaceOf(key));
    this.#touch(state);
  }

  #touch(state: NamespaceState): void {
    state.isFresh = false;
    this.#detection = undefined;
  }
}

import { type Approvals, changedNamespaces, NO_APPROVALS } from '../model/approvals.ts';
import { displayNamespace, HOME_CLUSTER, partsOf } from '../model/key.ts';
import { type Service, type ServiceKey, serviceKey } from '../model/service.ts';
import {
  aside,
  combine,
  type Detection,
  type Examined,
  examine,
  NamespaceMemory,
  together,
} from './detect.ts';
import { FormerSelectors } from './former.ts';
import type { DetectOptions } from './owner.ts';
import type { Rules } from './rules.ts';
import { selectionOf } from './selection.ts';

/** What is known of one namespace. */
interface NamespaceState {
  readonly examined: Map<ServiceKey, Examined>;
  readonly memory: NamespaceMemory;
  /** What these are together. */
  detection: Detection | undefined;
  /** Nothing of it changed since that was computed. */
  isFresh: boolean;
}

/**
 * Most rounds of one detection. What changes all the time is left to the next detection, so that it delays nothing else.
 */
const MOST_ROUNDS = 3;

/** A Service that no detector claims and that there is nothing to say of. */
const isNothing = ({ member, aside, problems }: Examined): boolean =>
  member === undefined && aside === undefined && problems.length === 0;

const namespaceOf = (key: ServiceKey): string => displayNamespace(partsOf(key));

/**
 * Detection that is kept in step: the same as `detect` of all Services, where a change costs what it touches. A change is
 * only noted; the next detection examines the Services that came or changed, and regroups namespaces where that counts.
 */
export class LiveDetection {
  /** What Services led to before. */
  readonly former: FormerSelectors;
  readonly #rules: Rules;
  #options: DetectOptions;
  /** By namespace, as `displayNamespace` writes it. */
  readonly #namespaces = new Map<string, NamespaceState>();
  /** All Services, each with its version. */
  readonly #versions = new Map<ServiceKey, string | undefined>();
  /** Services that came or changed since they were examined. */
  readonly #pending = new Map<ServiceKey, Service>();
  #detection: Detection | undefined;

  /** @param former what Services led to before, where another detection remembers that */
  constructor(rules: Rules, options: DetectOptions, former = new FormerSelectors()) {
    this.former = former;
    this.#rules = rules;
    this.#options = options;
  }

  /** How many Services there are. */
  get size(): number {
    return this.#versions.size;
  }

  /** What counts in a namespace, and what was not examined yet. */
  servicesIn(namespace: string): Service[] {
    const examined = [...(this.#namespaces.get(namespace)?.examined.values() ?? [])];
    const services = examined.flatMap(({ member, aside }) => member?.match.service ?? aside ?? []);
    const pending = [...this.#pending.values()].filter((service) => displayNamespace(service) === namespace);
    const byKey = [...services, ...pending].map((service) => [serviceKey(service), service] as const);
    return [...new Map(byKey).values()];
  }

  /** What people approved now. */
  approve(approvals: Approvals): void {
    const changed = changedNamespaces(this.#options.approvals ?? NO_APPROVALS, approvals);
    if (changed.size === 0) return;
    this.#options = { ...this.#options, approvals };
    for (const namespace of changed) {
      const state = this.#namespaces.get(namespace);
      if (state !== undefined) this.#touch(state);
    }
  }

  /** A Service that came or changed. */
  put(service: Service): void {
    const key = serviceKey(service);
    const { version } = service;
    if (version !== undefined && this.#versions.get(key) === version) return;
    this.#versions.set(key, version);
    this.#pending.set(key, service);
  }

  /** A Service that is gone. */
  drop(key: ServiceKey): void {
    this.#versions.delete(key);
    this.#pending.delete(key);
    this.#remember(key, undefined);
    this.#forget(key);
  }

  /**
   * The full set of a cluster: what is not among these is gone, but for namespaces that are named, or all of them by `*`.
   * Other clusters stay as they are.
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

  /** What there is. The same object as before while nothing changed that counts. */
  detect(): Detection {
    for (const _ of this.#steps());
    return this.#current();
  }

  /**
   * As `detect`, in steps that are small: each costs one Service, or one backend.
   * @param pause asked after each step; what it returns is waited for. Changes that come meanwhile count.
   */
  async detectInSteps(pause: () => Promise<void> | undefined): Promise<Detection> {
    for (const _ of this.#steps()) await pause();
    return this.#current();
  }

  /** Brings all up to date, a step at a time, until nothing is left to do. */
  *#steps(): Generator<void, void, undefined> {
    let isDone = false;
    for (let round = 0; round < MOST_ROUNDS && !isDone; round++) {
      for (const [key, service] of [...this.#pending]) {
        if (this.#pending.get(key) !== service) continue;
        this.#pending.delete(key);
        this.#examine(key, service);
        yield;
      }
      isDone = true;
      for (const state of this.#namespaces.values()) {
        if (state.isFresh) continue;
        state.isFresh = true;
        state.detection = yield* combine(
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
    this.#detection ??= together([...this.#namespaces.values()].flatMap(({ detection }) => detection ?? []));
    return this.#detection;
  }

  #examine(key: ServiceKey, service: Service): void {
    const found = examine(service, this.#rules, this.#options);
    this.#remember(key, isNothing(found) ? undefined : service);
    // What was a backend before still counts for its Pods of then.
    const isKept = isNothing(found) && this.former.of(service) !== undefined;
    const examined = isKept ? aside(service) : found;
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
    };
    state.examined.set(key, examined);
    this.#namespaces.set(namespace, state);
    this.#touch(state);
  }

  /** Remembers where a Service led to, unless that stays. @param now the Service, if it is still one that counts */
  #remember(key: ServiceKey, now: Service | undefined): void {
    const known = this.#namespaces.get(namespaceOf(key))?.examined.get(key);
    const before = known?.member?.match.service ?? known?.aside;
    if (before === undefined) return;
    if (now === undefined || selectionOf(before).key !== selectionOf(now).key) this.former.note(before);
  }

  /** It was a backend, or there was something to say of it, and is none any more. */
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

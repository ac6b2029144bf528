import { causeOf, type DiscoveredService, type Health, type Problem } from '../model/discovery.ts';
import type { Published } from '../model/published.ts';
import { type ServiceKey, serviceKey } from '../model/service.ts';
import type { EngineEvent } from './events.ts';

/** How something that we depend on is doing. */
export interface Dependency {
  readonly status: 'ok' | 'failing' | 'waiting';
  readonly since: Date;
  /** The last error, while it is failing. */
  readonly error?: string;
}

/** What probes found from a time on. */
export interface HealthRecord {
  readonly time: Date;
  readonly health: Health;
  readonly reason: string;
}

/** What is remembered of one backend beside what the engine tells of it. */
export interface BackendHistory {
  readonly discoveredAt: Date;
  /** When it was asked last. */
  readonly checkedAt: Date | undefined;
  /** What probes found, the newest last: an entry for each change, with the time of the change. */
  readonly health: readonly HealthRecord[];
}

export interface Counters {
  readonly cycles: number;
  readonly examined: number;
  readonly publications: number;
  readonly failures: number;
  readonly drift: number;
}

/** How many changes of a backend's health are remembered. */
const REMEMBERED = 10;

/** The latest known state for the API, the metrics and health checks. It follows from the controller's events and changes nothing. */
export class ReadModel {
  readonly #now: () => Date;
  readonly startedAt: Date;
  /** Increases with every change of the read model. */
  revision = 0;
  /** The number of the last pass. */
  cycle = 0;
  services: readonly DiscoveredService[] = [];
  discoveryProblems: readonly Problem[] = [];
  publishProblems: readonly Problem[] = [];
  /** What is published, as it was read last; undefined where it is not known, or not there. */
  published: Published | undefined;
  lastDiscovery: Date | undefined;
  lastDuration: number | undefined;
  lastPublished: Date | undefined;
  counters: Counters = { cycles: 0, examined: 0, publications: 0, failures: 0, drift: 0 };
  dependencies: Readonly<Record<'kubernetes' | 'configmap' | 'discovery', Dependency>>;
  readonly #listeners = new Set<() => void>();
  readonly #histories = new Map<ServiceKey, BackendHistory>();

  constructor(now: () => Date) {
    this.#now = now;
    this.startedAt = now();
    const waiting: Dependency = { status: 'waiting', since: this.startedAt };
    this.dependencies = { kubernetes: waiting, configmap: waiting, discovery: waiting };
  }

  /** The cluster cannot be read, so the controller cannot start. */
  sourceUnavailable(why: string): void {
    this.revision++;
    this.#set('kubernetes', 'failing', why);
  }

  /** What must work for this process to be of use, and whether it does. */
  get ready(): Readonly<Record<string, boolean>> {
    return Object.fromEntries(
      Object.entries(this.dependencies).map(([name, { status }]) => [name, status === 'ok']),
    );
  }

  /** Calls a listener after each event that changes the read model. @returns ends the subscription */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  history(service: DiscoveredService): BackendHistory | undefined {
    return this.#histories.get(serviceKey(service.service));
  }

  apply(event: EngineEvent): void {
    if (!this.#apply(event)) return;
    this.revision++;
    for (const listener of this.#listeners) listener();
  }

  /** @returns whether the event changed anything. Most do not: there is one per probe, and the pass sums them up. */
  #apply(event: EngineEvent): boolean {
    switch (event.kind) {
      case 'pass':
        this.#pass(event);
        return true;
      case 'source-failed':
        this.#set('kubernetes', 'failing', (event.error as Error).message);
        return true;
      case 'observed':
        this.published = event.live;
        this.#set('configmap', 'ok');
        return true;
      case 'observe-failed':
      case 'publish-failed':
        this.#set('configmap', 'failing', (event.error as Error).message);
        if (event.kind === 'publish-failed') this.#count('failures');
        return true;
      case 'reconciled':
        this.publishProblems = event.problems;
        return true;
      case 'published':
        this.lastPublished = this.#now();
        this.#count('publications');
        return true;
      case 'drift':
      case 'recreated':
        this.#count('drift');
        return true;
      default:
        return false;
    }
  }

  #pass({ cycle, services, problems, examined, milliseconds }: Extract<EngineEvent, { kind: 'pass' }>): void {
    const now = this.#now();
    const before = new Map(this.services.map((each) => [serviceKey(each.service), each]));
    const kept = new Set<ServiceKey>();
    for (const { service, verdict } of services) {
      const key = serviceKey(service);
      kept.add(key);
      const history = this.#histories.get(key) ?? { discoveredAt: now, checkedAt: undefined, health: [] };
      const old = before.get(key)?.verdict;
      // A verdict from memory is the same object again.
      if (old === verdict) continue;
      const { health, reason } = verdict;
      const isSame = old !== undefined && causeOf(old) === causeOf(verdict);
      this.#histories.set(key, {
        ...history,
        checkedAt: now,
        health: isSame
          ? history.health
          : [...history.health.slice(1 - REMEMBERED), { time: now, health, reason }],
      });
    }
    for (const key of this.#histories.keys()) if (!kept.has(key)) this.#histories.delete(key);
    this.cycle = cycle;
    this.services = services;
    this.discoveryProblems = problems;
    this.lastDiscovery = now;
    this.lastDuration = milliseconds;
    this.counters = { ...this.counters, cycles: this.counters.cycles + 1, examined };
    this.#set('kubernetes', 'ok');
    this.#set('discovery', 'ok');
  }

  #count(what: 'publications' | 'failures' | 'drift'): void {
    this.counters = { ...this.counters, [what]: this.counters[what] + 1 };
  }

  #set(name: keyof ReadModel['dependencies'], status: Dependency['status'], error?: string): void {
    const before = this.dependencies[name];
    this.dependencies = {
      ...this.dependencies,
      [name]: {
        status,
        since: before.status === status ? before.since : this.#now(),
        ...(error === undefined ? {} : { error }),
      },
    };
  }
}

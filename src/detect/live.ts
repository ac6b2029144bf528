import { type Service, type ServiceKey, serviceKey } from '../model/service.ts';
import { combine, type Detection, type Examined, examine, together } from './detect.ts';
import type { DetectOptions } from './owner.ts';
import type { Rules } from './rules.ts';

/** What is known of one namespace. */
interface NamespaceState {
  readonly examined: Map<ServiceKey, Examined>;
  /** What these are together; nothing when that has to be found out again. */
  detection: Detection | undefined;
}

/** Of a Service that nobody claims and that there is nothing to say of, this is all that is kept. */
const isNothing = ({ match, problems }: Examined): boolean => match === undefined && problems.length === 0;

/**
 * Detection that is kept in step: the same as `detect` of all Services, where a change costs what it touches. A Service is
 * examined when it comes or changes, and not when it is told again as it was; its namespace is put together anew only if that is of any consequence.
 */
export class LiveDetection {
  readonly #rules: Rules;
  readonly #options: DetectOptions;
  readonly #namespaces = new Map<string, NamespaceState>();
  /** All Services, each with the version of it that was examined. */
  readonly #versions = new Map<ServiceKey, string | undefined>();
  #detection: Detection | undefined;

  constructor(rules: Rules, options: DetectOptions) {
    this.#rules = rules;
    this.#options = options;
  }

  /** How many Services there are. */
  get size(): number {
    return this.#versions.size;
  }

  /** What counts in a namespace. */
  servicesIn(namespace: string): Service[] {
    const examined = [...(this.#namespaces.get(namespace)?.examined.values() ?? [])];
    return examined.flatMap(({ match }) => (match === undefined ? [] : [match.service]));
  }

  /** A Service that came or changed. */
  put(service: Service): void {
    const key = serviceKey(service);
    const { version } = service;
    if (version !== undefined && this.#versions.get(key) === version) return;
    this.#versions.set(key, version);
    const examined = examine(service, this.#rules, this.#options);
    const state = this.#namespaces.get(service.namespace) ?? { examined: new Map(), detection: undefined };
    if (isNothing(examined)) {
      if (!state.examined.delete(key)) return;
    } else state.examined.set(key, examined);
    this.#namespaces.set(service.namespace, state);
    this.#touch(state);
  }

  /** A Service that is gone. */
  drop(key: ServiceKey): void {
    this.#versions.delete(key);
    const namespace = key.slice(0, key.indexOf('/'));
    const state = this.#namespaces.get(namespace);
    if (state?.examined.delete(key) !== true) return;
    if (state.examined.size === 0) this.#namespaces.delete(namespace);
    this.#touch(state);
  }

  /** The full set: what is not among these is gone, but for namespaces that are named, or all of them by `*`. */
  replace(services: readonly Service[], unread: ReadonlySet<string>): void {
    const kept = new Set(services.map(serviceKey));
    const stands = (key: ServiceKey): boolean =>
      kept.has(key) || unread.has('*') || unread.has(key.slice(0, key.indexOf('/')));
    for (const key of this.#versions.keys()) if (!stands(key)) this.drop(key);
    for (const service of services) this.put(service);
  }

  /** What there is. The same object as before while nothing changed that counts. */
  detect(): Detection {
    if (this.#detection === undefined)
      this.#detection = together(
        [...this.#namespaces.values()].map((state) => {
          state.detection ??= combine(state.examined.values(), this.#rules, this.#options);
          return state.detection;
        }),
      );
    return this.#detection;
  }

  #touch(state: NamespaceState): void {
    state.detection = undefined;
    this.#detection = undefined;
  }
}

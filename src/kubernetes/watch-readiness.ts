import pLimit from 'p-limit';
import type { ServiceKey } from '../model/service.ts';
import type { Kube } from './connection.ts';
import { EndpointIndex, type ServiceEndpoints, type SliceState } from './endpoint-index.ts';
import { slicesIn } from './endpoint-slices.ts';
import { follow, type Told } from './reflector.ts';

/** Most first lists at a time. */
const STARTING = 8;

type Fault = Extract<Told<SliceState>, { readonly kind: 'failure' }>;

/** What is known of one namespace; `*` stands for all. */
interface ScopeState {
  readonly stop: AbortController;
  /** Resolves with the first answer or failure. */
  readonly answered: PromiseWithResolvers<void>;
  /** Undefined until all was read once. */
  endpoints: EndpointIndex | undefined;
  /** Why it is not in step now. */
  fault: Fault | undefined;
}

function isEqual(a: ServiceEndpoints | undefined, b: ServiceEndpoints | undefined): boolean {
  const [before, after] = [a?.ports ?? new Map(), b?.ports ?? new Map()];
  const samePorts =
    before.size === after.size && [...before].every(([name, port]) => after.get(name) === port);
  return (a?.ready ?? true) === (b?.ready ?? true) && samePorts;
}

/**
 * Watches EndpointSlices until its signal is aborted: those of all namespaces by one watch, or those of each namespace by a
 * watch of its own. Keeps of each slice no more than whether it is ready, and ports of headless Services.
 */
export class WatchedReadiness {
  readonly #kube: Kube;
  readonly #changed: (service: ServiceKey, ready: boolean) => void;
  readonly #signal: AbortSignal;
  readonly #scopes = new Map<string, ScopeState>();
  readonly #starting = pLimit(STARTING);
  /** One watch for all namespaces. */
  readonly everywhere: boolean;

  /**
   * @param changed told when a Service is not ready any more, or is again, or when its Pods' ports changed; a Service without
   * slices counts as ready
   * @param everywhere there is the right to watch all namespaces
   */
  constructor(
    kube: Kube,
    changed: (service: ServiceKey, ready: boolean) => void,
    signal: AbortSignal,
    everywhere = false,
  ) {
    this.#kube = kube;
    this.#changed = changed;
    this.#signal = signal;
    this.everywhere = everywhere;
  }

  /** Watches these namespaces from now on, and no others. */
  follow(namespaces: Iterable<string>): void {
    const wanted = new Set(namespaces);
    if (this.everywhere && wanted.size > 0) {
      wanted.clear();
      wanted.add('*');
    }
    for (const [scope, { stop }] of this.#scopes) {
      if (wanted.has(scope)) continue;
      stop.abort();
      this.#scopes.delete(scope);
    }
    for (const scope of wanted) if (!this.#scopes.has(scope)) this.#start(scope);
  }

  /**
   * The endpoints of a namespace, or of all where these are watched together. Waits for the first answer. `undefined` when
   * that is not known for sure: it is not watched, or what is known may be old.
   */
  async known(namespace: string, signal: AbortSignal): Promise<EndpointIndex | undefined> {
    const state = this.#scopes.get(this.everywhere ? '*' : namespace);
    if (state === undefined) return undefined;
    const aborted = Promise.withResolvers<void>();
    const onAbort = (): void => aborted.resolve();
    const either = AbortSignal.any([signal, state.stop.signal, this.#signal]);
    either.addEventListener('abort', onAbort, { once: true });
    if (!either.aborted) await Promise.race([state.answered.promise, aborted.promise]);
    either.removeEventListener('abort', onAbort);
    signal.throwIfAborted();
    return state.fault === undefined ? state.endpoints : undefined;
  }

  /** Why a namespace that is watched is not in step now, if it is not. */
  fault(namespace: string): Fault | undefined {
    return this.#scopes.get(this.everywhere ? '*' : namespace)?.fault;
  }

  #start(scope: string): void {
    const stop = new AbortController();
    const answered = Promise.withResolvers<void>();
    const state: ScopeState = { stop, answered, endpoints: undefined, fault: undefined };
    this.#scopes.set(scope, state);
    const signal = AbortSignal.any([this.#signal, stop.signal]);
    void this.#starting(async () => {
      if (signal.aborted) return;
      const onAbort = (): void => answered.resolve();
      signal.addEventListener('abort', onAbort, { once: true });
      // It rejects for a bug only; nobody waits for it, so that ends the process as a bug does.
      void follow(
        this.#kube,
        { ...slicesIn(scope), forgotten: true },
        (told) => {
          this.#take(state, told);
          answered.resolve();
        },
        signal,
      );
      await answered.promise;
      signal.removeEventListener('abort', onAbort);
    });
  }

  #take(state: ScopeState, told: Told<SliceState>): void {
    const { endpoints } = state;
    switch (told.kind) {
      case 'failure':
        state.fault = told;
        return;
      case 'recovered':
        state.fault = undefined;
        return;
      case 'synced':
        if (state.fault?.doing === 'list') state.fault = undefined;
        state.endpoints = new EndpointIndex(told.items);
        if (endpoints !== undefined) this.#compare(endpoints, state.endpoints);
        return;
      case 'upsert':
        if (endpoints !== undefined)
          this.#change(endpoints, [endpoints.serviceOf(told.key), told.item.service], () =>
            endpoints.put(told.key, told.item),
          );
        return;
      case 'delete':
        if (endpoints !== undefined)
          this.#change(endpoints, [endpoints.serviceOf(told.key)], () => endpoints.drop(told.key));
    }
  }

  #compare(before: EndpointIndex, after: EndpointIndex): void {
    for (const service of new Set([...before.services(), ...after.services()]))
      this.#tell(service, before.get(service), after.get(service));
  }

  #change(endpoints: EndpointIndex, services: readonly (ServiceKey | undefined)[], change: () => void): void {
    const touched = [...new Set(services)].filter((service) => service !== undefined);
    const before = touched.map((service) => endpoints.get(service));
    change();
    for (const [index, service] of touched.entries())
      this.#tell(service, before[index], endpoints.get(service));
  }

  #tell(
    service: ServiceKey,
    before: ServiceEndpoints | undefined,
    after: ServiceEndpoints | undefined,
  ): void {
    if (!isEqual(before, after)) this.#changed(service, after?.ready ?? true);
  }
}

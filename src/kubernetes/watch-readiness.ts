import pLimit from 'p-limit';
import type { ServiceKey } from '../model/service.ts';
import type { KubeClient } from './connection.ts';
import { EndpointIndex, type ServiceEndpoints, type SliceState } from './endpoint-index.ts';
import { slicesIn } from './endpoint-slices.ts';
import { type InformerEvent, runInformer } from './informer.ts';

/** Maximum number of concurrent initial lists. */
const MAX_CONCURRENT_LISTS = 8;

type Fault = Extract<InformerEvent<SliceState>, { readonly kind: 'failure' }>;

/** The state of one namespace, or of all namespaces (`*`). */
interface ScopeState {
  readonly stop: AbortController;
  /** Resolves with the first result or failure. */
  readonly firstResult: PromiseWithResolvers<void>;
  /** Undefined until the first list. */
  endpoints: EndpointIndex | undefined;
  /** Set while the informer is failing. */
  fault: Fault | undefined;
}

function hasSameAddresses(a: ServiceEndpoints | undefined, b: ServiceEndpoints | undefined): boolean {
  const [before, after] = [a?.addresses, b?.addresses];
  return (
    before?.isCut === after?.isCut && (before?.listed ?? []).join(' ') === (after?.listed ?? []).join(' ')
  );
}

function isEqual(a: ServiceEndpoints | undefined, b: ServiceEndpoints | undefined): boolean {
  const [before, after] = [a?.ports ?? new Map(), b?.ports ?? new Map()];
  const samePorts =
    before.size === after.size && [...before].every(([name, port]) => after.get(name) === port);
  return (a?.ready ?? true) === (b?.ready ?? true) && samePorts;
}

/**
 * Watches EndpointSlices until its signal is aborted, with one watch for all namespaces or one for each. It keeps only the readiness
 * and the addresses of each slice, and the ports of headless Services.
 */
export class WatchedReadiness {
  readonly #kube: KubeClient;
  readonly #changed: (service: ServiceKey, ready: boolean) => void;
  readonly #signal: AbortSignal;
  readonly #scopes = new Map<string, ScopeState>();
  readonly #starting = pLimit(MAX_CONCURRENT_LISTS);
  #withAddresses: ReadonlySet<ServiceKey> = new Set();
  /** One watch for all namespaces. */
  readonly allNamespaces: boolean;

  /**
   * @param changed called when the readiness or the Pod ports of a Service change; a Service without slices counts as ready. A
   * change of addresses is reported as not ready, since it proves no recovery
   * @param allNamespaces use one watch for all namespaces, which needs permission to do so
   */
  constructor(
    kube: KubeClient,
    changed: (service: ServiceKey, ready: boolean) => void,
    signal: AbortSignal,
    allNamespaces = false,
  ) {
    this.#kube = kube;
    this.#changed = changed;
    this.#signal = signal;
    this.allNamespaces = allNamespaces;
  }

  /**
   * Watches these namespaces, and stops watching all others.
   * @param withAddresses the Services whose changes of addresses are reported
   */
  setNamespaces(namespaces: Iterable<string>, withAddresses: ReadonlySet<ServiceKey> = new Set()): void {
    this.#withAddresses = withAddresses;
    const wanted = new Set(namespaces);
    if (this.allNamespaces && wanted.size > 0) {
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
   * The endpoints of a namespace, or of all if there is one watch. Waits for the first result. Undefined if the namespace is not
   * watched, or its data may be stale.
   */
  async endpointsIn(namespace: string, signal: AbortSignal): Promise<EndpointIndex | undefined> {
    const state = this.#scopes.get(this.allNamespaces ? '*' : namespace);
    if (state === undefined) return undefined;
    const aborted = Promise.withResolvers<void>();
    const onAbort = (): void => aborted.resolve();
    const either = AbortSignal.any([signal, state.stop.signal, this.#signal]);
    either.addEventListener('abort', onAbort, { once: true });
    if (!either.aborted) await Promise.race([state.firstResult.promise, aborted.promise]);
    either.removeEventListener('abort', onAbort);
    signal.throwIfAborted();
    return state.fault === undefined ? state.endpoints : undefined;
  }

  /** The current failure of a watched namespace, if any. */
  fault(namespace: string): Fault | undefined {
    return this.#scopes.get(this.allNamespaces ? '*' : namespace)?.fault;
  }

  #start(scope: string): void {
    const stop = new AbortController();
    const firstResult = Promise.withResolvers<void>();
    const state: ScopeState = { stop, firstResult, endpoints: undefined, fault: undefined };
    this.#scopes.set(scope, state);
    const signal = AbortSignal.any([this.#signal, stop.signal]);
    void this.#starting(async () => {
      if (signal.aborted) return;
      const onAbort = (): void => firstResult.resolve();
      signal.addEventListener('abort', onAbort, { once: true });
      // It rejects only because of a bug. The rejection is unhandled on purpose, so that it ends the process.
      void runInformer(
        this.#kube,
        { ...slicesIn(scope), keepItems: false },
        (event) => {
          this.#applyEvent(state, event);
          firstResult.resolve();
        },
        signal,
      );
      await firstResult.promise;
      signal.removeEventListener('abort', onAbort);
    });
  }

  #applyEvent(state: ScopeState, event: InformerEvent<SliceState>): void {
    const { endpoints } = state;
    switch (event.kind) {
      case 'failure':
        state.fault = event;
        return;
      case 'recovered':
        state.fault = undefined;
        return;
      case 'synced':
        if (state.fault?.doing === 'list') state.fault = undefined;
        state.endpoints = new EndpointIndex(event.items);
        if (endpoints !== undefined) this.#compare(endpoints, state.endpoints);
        return;
      case 'upsert':
        if (endpoints !== undefined)
          this.#change(endpoints, [endpoints.serviceOf(event.key), event.item.service], () =>
            endpoints.put(event.key, event.item),
          );
        return;
      case 'delete':
        if (endpoints !== undefined)
          this.#change(endpoints, [endpoints.serviceOf(event.key)], () => endpoints.drop(event.key));
    }
  }

  #compare(before: EndpointIndex, after: EndpointIndex): void {
    for (const service of new Set([...before.services(), ...after.services()]))
      this.#notifyIfChanged(service, before.get(service), after.get(service));
  }

  #change(endpoints: EndpointIndex, services: readonly (ServiceKey | undefined)[], change: () => void): void {
    const touched = [...new Set(services)].filter((service) => service !== undefined);
    const before = touched.map((service) => endpoints.get(service));
    change();
    for (const [index, service] of touched.entries())
      this.#notifyIfChanged(service, before[index], endpoints.get(service));
  }

  #notifyIfChanged(
    service: ServiceKey,
    before: ServiceEndpoints | undefined,
    after: ServiceEndpoints | undefined,
  ): void {
    if (!isEqual(before, after)) this.#changed(service, after?.ready ?? true);
    else if (this.#withAddresses.has(service) && !hasSameAddresses(before, after))
      this.#changed(service, false);
  }
}

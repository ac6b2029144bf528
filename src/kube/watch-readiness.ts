import { type ServiceKey, serviceKey } from '../model/service.ts';
import type { Kube } from './connection.ts';
import { readyByService, type SliceState, slicesIn } from './endpoint-slices.ts';
import { follow, type Told } from './reflector.ts';

/** Most namespaces that are followed: each costs a connection to the API server. The others can be read instead. */
const MOST_NAMESPACES = 50;

type Fault = Extract<Told<SliceState>, { readonly kind: 'failure' }>;

interface NamespaceReadiness {
  readonly stop: AbortController;
  /** Resolves with the first answer or failure. */
  readonly answered: Promise<void>;
  slices: ReadonlyMap<string, SliceState> | undefined;
  /** By Service; in step with `slices`. */
  ready: ReadonlyMap<string, boolean>;
  /** Why it is not in step now. */
  fault: Fault | undefined;
}

/** Follows which Services of some namespaces have a ready endpoint, until its signal is aborted. */
export class WatchedReadiness {
  readonly #kube: Kube;
  readonly #changed: (service: ServiceKey, ready: boolean) => void;
  readonly #signal: AbortSignal;
  readonly #namespaces = new Map<string, NamespaceReadiness>();

  /** @param changed told when a Service is not ready any more, or is again; one without slices counts as ready */
  constructor(kube: Kube, changed: (service: ServiceKey, ready: boolean) => void, signal: AbortSignal) {
    this.#kube = kube;
    this.#changed = changed;
    this.#signal = signal;
  }

  /** Follows these namespaces from now on, and no others. Of very many, the first in alphabetical order. */
  follow(namespaces: Iterable<string>): void {
    const wanted = new Set([...new Set(namespaces)].sort().slice(0, MOST_NAMESPACES));
    for (const [namespace, { stop }] of this.#namespaces) {
      if (wanted.has(namespace)) continue;
      stop.abort();
      this.#namespaces.delete(namespace);
    }
    for (const namespace of wanted) if (!this.#namespaces.has(namespace)) this.#start(namespace);
  }

  /**
   * For each Service of a namespace that has EndpointSlices, by its name: is any of its endpoints ready? Waits for the
   * first answer. `undefined` when that is not known for sure: it is not followed, or what is known may be old.
   */
  async known(namespace: string, signal: AbortSignal): Promise<ReadonlyMap<string, boolean> | undefined> {
    const state = this.#namespaces.get(namespace);
    if (state === undefined) return undefined;
    const aborted = Promise.withResolvers<void>();
    const onAbort = (): void => aborted.resolve();
    const either = AbortSignal.any([signal, state.stop.signal, this.#signal]);
    either.addEventListener('abort', onAbort, { once: true });
    if (!either.aborted) await Promise.race([state.answered, aborted.promise]);
    either.removeEventListener('abort', onAbort);
    signal.throwIfAborted();
    return state.slices === undefined || state.fault !== undefined ? undefined : state.ready;
  }

  /** Why a namespace that is followed is not in step now, if it is not. */
  fault(namespace: string): unknown {
    return this.#namespaces.get(namespace)?.fault?.error;
  }

  #start(namespace: string): void {
    const stop = new AbortController();
    const first = Promise.withResolvers<void>();
    const state: NamespaceReadiness = {
      stop,
      answered: first.promise,
      slices: undefined,
      ready: new Map(),
      fault: undefined,
    };
    this.#namespaces.set(namespace, state);
    // It rejects for a bug only; nobody waits for it, so that ends the process as a bug does.
    void follow(
      this.#kube,
      slicesIn(namespace),
      (told) => {
        this.#take(namespace, state, told);
        first.resolve();
      },
      AbortSignal.any([this.#signal, stop.signal]),
    );
  }

  #take(namespace: string, state: NamespaceReadiness, told: Told<SliceState>): void {
    switch (told.kind) {
      case 'failure':
        state.fault = told;
        return;
      case 'recovered':
        state.fault = undefined;
        return;
      case 'upsert':
        // Most events of a slice say nothing about readiness.
        if (told.before?.service === told.item.service && told.before.ready === told.item.ready) return;
        break;
      case 'synced':
        if (state.fault?.doing === 'list') state.fault = undefined;
    }
    const first = state.slices === undefined;
    if (told.kind === 'synced') state.slices = told.items;
    const before = state.ready;
    state.ready = readyByService(state.slices?.values() ?? []);
    if (first) return;
    for (const name of new Set([...before.keys(), ...state.ready.keys()])) {
      const ready = state.ready.get(name) !== false;
      if (ready !== (before.get(name) !== false)) this.#changed(serviceKey({ namespace, name }), ready);
    }
  }
}

import pLimit from 'p-limit';
import type { KubeClient } from '../kubernetes/connection.ts';
import { type InformerEvent, type InformerOptions, runInformer } from '../kubernetes/informer.ts';
import { DEFAULT_TIMING } from '../kubernetes/informer-timing.ts';
import { type Collection, listItems } from '../kubernetes/list.ts';
import { servicesPath } from '../kubernetes/services.ts';
import type { Interest } from '../model/interest.ts';
import { type ServiceKey, serviceKey } from '../model/service.ts';
import {
  countDenied,
  type NamespaceState,
  newState,
  replaceItems,
  type SelectedService,
  syncChange,
} from './namespace-state.ts';
import { serviceFromObject } from './service-object.ts';
import type { Change, Source, SourceEvent } from './source.ts';

export interface ClusterOptions {
  /** The name of the cluster; default: the home cluster. */
  readonly cluster?: string;
  /** Namespaces to watch; `*` for all. */
  readonly namespaces: readonly string[];
  /** Resync interval in milliseconds. If undefined, list once without a watch. */
  readonly interval: number | undefined;
  /** Which parts of a Service to keep; default: all. */
  readonly interest?: Interest;
  /** Receives events for metrics. */
  readonly emit?: (event: SourceEvent) => void;
}

/** Maximum number of concurrent lists without a watch. */
const MAX_CONCURRENT_LISTS = 8;

/** Syncs of several namespaces within this time become one, in milliseconds. */
const SYNC_DEBOUNCE = 50;

function servicesIn(
  { cluster, namespace }: NamespaceState,
  interest: Interest | undefined,
): Collection<SelectedService> {
  return {
    path: servicesPath(namespace),
    select(object) {
      const service = serviceFromObject(object, namespace, interest, cluster);
      return typeof service === 'string' ? { skipped: service } : { service };
    },
  };
}

/** Lists each namespace once, and updates its state. */
async function readInto(
  kube: KubeClient,
  states: readonly NamespaceState[],
  interest: Interest | undefined,
  signal: AbortSignal,
): Promise<void> {
  const read = async (state: NamespaceState): Promise<void> => {
    try {
      replaceItems(state, (await listItems(kube, servicesIn(state, interest), signal)).items);
    } catch (error) {
      state.fault = { doing: 'list', error, retryIn: 0 };
    }
  };
  await pLimit(MAX_CONCURRENT_LISTS).map(states, read);
}

/** Updates the state of a namespace with an informer event. @returns the changes to emit; `all` for a full sync */
function applyEvent(
  state: NamespaceState,
  event: InformerEvent<SelectedService>,
): readonly (Change | 'all')[] {
  switch (event.kind) {
    case 'synced':
      replaceItems(state, event.items);
      state.denials = 0;
      if (state.fault?.doing === 'list') state.fault = undefined;
      state.isRelisted = state.fault !== undefined;
      return ['all'];
    case 'upsert': {
      if ('service' in event.item) {
        const { service } = event.item;
        state.fresh?.set(event.key, service);
        return [{ kind: 'upsert', service }, ...(state.skipped.delete(event.key) ? ['all' as const] : [])];
      }
      const gone = removeItem(state, event.key);
      state.skipped.set(event.key, event.item.skipped);
      return [...gone, 'all'];
    }
    case 'delete':
      return removeItem(state, event.key);
    case 'recovered':
      state.fault = undefined;
      state.isRelisted = false;
      return ['all'];
    case 'failure':
      state.fault = { ...event, isPolled: event.doing === 'watch' && state.isRelisted };
      state.isRelisted = false;
      state.denials = event.doing === 'list' ? state.denials + 1 : 0;
      return ['all'];
  }
}

/** The key of a Service that its collection knows as `namespace/name`. */
function keyIn(cluster: string, key: string): ServiceKey {
  const [namespace = '', name = ''] = key.split('/');
  return serviceKey({ cluster, namespace, name });
}

function removeItem(state: NamespaceState, key: string): readonly (Change | 'all')[] {
  state.fresh?.delete(key);
  return state.skipped.delete(key) ? ['all'] : [{ kind: 'delete', key: keyIn(state.cluster, key) }];
}

/** Combines the namespaces: emits the first sync when all have synced or failed, and debounces further ones. */
class SyncAggregator {
  readonly #kube: KubeClient;
  readonly #states: readonly NamespaceState[];
  readonly #emitChange: (change: Change) => void;
  readonly #emitEvent: (event: SourceEvent) => void;
  #synced = false;
  #timer: NodeJS.Timeout | undefined;
  /** Failures are not emitted again before this time, from `performance.now`. */
  #quietUntil = 0;

  constructor(
    kube: KubeClient,
    states: readonly NamespaceState[],
    changed: (change: Change) => void,
    emit: (event: SourceEvent) => void,
  ) {
    this.#kube = kube;
    this.#states = states;
    this.#emitChange = changed;
    this.#emitEvent = emit;
  }

  emit(change: Change | 'all'): void {
    if (change !== 'all') {
      if (this.#synced) this.#emitChange(change);
    } else if (this.#states.every(({ synced: known, fault }) => known || fault !== undefined)) {
      if (this.#synced) this.#timer ??= setTimeout(() => this.#emitSync(), SYNC_DEBOUNCE);
      else this.#emitSync();
    }
  }

  #emitSync(): void {
    this.#timer = undefined;
    const change = syncChange(this.#states, this.#kube);
    this.#emitEvent({ kind: 'namespaces-denied', count: countDenied(this.#states) });
    if (change.kind === 'failure') {
      // Namespaces fail at different times. One failure for all of them is enough.
      if (performance.now() < this.#quietUntil) return;
      this.#quietUntil = performance.now() + change.retryIn * 0.9;
    } else {
      this.#quietUntil = 0;
      this.#synced = true;
      for (const state of this.#states) state.fresh = undefined;
    }
    this.#emitChange(change);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

/**
 * Services of a live cluster. Denied namespaces are skipped, and retried with backoff. If only watching is denied, a namespace is
 * listed after each interval.
 */
export function clusterSource(
  kube: KubeClient,
  { cluster, namespaces, interval, interest, emit = () => {} }: ClusterOptions,
): Source {
  const chosen = namespaces.includes('*') ? ['*'] : [...new Set(namespaces)];
  return {
    ...(cluster === undefined ? {} : { clusters: [cluster] }),
    async run(changed, signal) {
      const states = chosen.map((namespace) => newState(namespace, cluster));
      if (interval === undefined) {
        await readInto(kube, states, interest, signal);
        if (!signal.aborted) changed(syncChange(states, kube));
        return;
      }
      const aggregator = new SyncAggregator(kube, states, changed, emit);
      const maxDelay = Math.min(DEFAULT_TIMING.maxDelay, Math.max(interval, DEFAULT_TIMING.firstDelay));
      const options: Omit<InformerOptions<SelectedService>, 'path' | 'select'> = {
        resync: interval,
        timing: { maxDelay },
        keepItems: false,
        onWatchEnd: (reason) => emit({ kind: 'watch-ended', reason }),
      };
      const watchNamespace = (state: NamespaceState): Promise<void> =>
        runInformer(
          kube,
          { ...servicesIn(state, interest), ...options },
          (event) => {
            if (event.kind === 'upsert' || event.kind === 'delete')
              emit({ kind: 'watch-event', change: event.kind });
            for (const change of applyEvent(state, event)) aggregator.emit(change);
          },
          signal,
        );
      await Promise.all(states.map(watchNamespace)).finally(() => aggregator.end());
    },
  };
}

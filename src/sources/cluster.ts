import pLimit from 'p-limit';
import type { KubeClient } from '../kubernetes/connection.ts';
import { type InformerEvent, runInformer, type WatchEnd } from '../kubernetes/informer.ts';
import { DEFAULT_TIMING } from '../kubernetes/informer-timing.ts';
import { type Collection, listItems } from '../kubernetes/list.ts';
import { servicesPath } from '../kubernetes/services.ts';
import type { Interest } from '../model/interest.ts';
import { HOME_CLUSTER } from '../model/key.ts';
import { type ServiceKey, serviceKey } from '../model/service.ts';
import {
  deniedAmong,
  fullSet,
  type NamespaceState,
  newState,
  type Read,
  takeAll,
} from './namespace-state.ts';
import { serviceFromObject } from './service-object.ts';
import type { Change, Source, SourceEvent } from './source.ts';

export interface ClusterOptions {
  /** Namespaces to look into; `*` for all. */
  readonly namespaces: readonly string[];
  /**
   * Follow them: tell changes as they happen, and all there is at least each so many milliseconds. `undefined`: read
   * once and end, without a watch.
   */
  readonly interval: number | undefined;
  /** What of a Service is kept; all of it without. */
  readonly interest?: Interest;
  /** Told what happens while they are followed. */
  readonly tell?: (event: SourceEvent) => void;
}

/** Most lists at a time where namespaces are read once. */
const LISTS = 8;

/** Time in which what several namespaces tell becomes one full set, in milliseconds. */
const SETTLE = 50;

function servicesIn(namespace: string, interest: Interest | undefined): Collection<Read> {
  return {
    path: servicesPath(namespace),
    select(object) {
      const service = serviceFromObject(object, namespace, interest);
      return typeof service === 'string' ? { refused: service } : { service };
    },
  };
}

/** Reads the namespaces once, each on its own, into their states. */
async function readInto(
  kube: KubeClient,
  states: readonly NamespaceState[],
  interest: Interest | undefined,
  signal: AbortSignal,
): Promise<void> {
  const read = async (state: NamespaceState): Promise<void> => {
    try {
      takeAll(state, (await listItems(kube, servicesIn(state.namespace, interest), signal)).items);
    } catch (error) {
      state.fault = { doing: 'list', error, retryIn: 0 };
    }
  };
  await pLimit(LISTS).map(states, read);
}

/** Brings what is told of one namespace into its state. @returns what is to be told on: changes, or all there is */
function take(state: NamespaceState, told: InformerEvent<Read>): readonly (Change | 'all')[] {
  switch (told.kind) {
    case 'synced':
      takeAll(state, told.items);
      state.denials = 0;
      if (state.fault?.doing === 'list') state.fault = undefined;
      return ['all'];
    case 'upsert': {
      if ('service' in told.item) {
        const { service } = told.item;
        state.fresh?.set(told.key, service);
        return [{ kind: 'upsert', service }, ...(state.refused.delete(told.key) ? ['all' as const] : [])];
      }
      const gone = takeAway(state, told.key);
      state.refused.set(told.key, told.item.refused);
      return [...gone, 'all'];
    }
    case 'delete':
      return takeAway(state, told.key);
    case 'recovered':
      state.fault = undefined;
      return ['all'];
    case 'failure':
      state.fault = told;
      state.denials = told.doing === 'list' ? state.denials + 1 : 0;
      return ['all'];
  }
}

/** The key of a Service that its collection knows as `namespace/name`. */
function keyIn(cluster: string, key: string): ServiceKey {
  const [namespace = '', name = ''] = key.split('/');
  return serviceKey({ cluster, namespace, name });
}

function takeAway(state: NamespaceState, key: string): readonly (Change | 'all')[] {
  state.fresh?.delete(key);
  return state.refused.delete(key) ? ['all'] : [{ kind: 'delete', key: keyIn(HOME_CLUSTER, key) }];
}

/** Tells what is known of all namespaces, once all have answered or failed; bursts as one. */
class Teller {
  readonly #kube: KubeClient;
  readonly #states: readonly NamespaceState[];
  readonly #changed: (change: Change) => void;
  readonly #tell: (event: SourceEvent) => void;
  #synced = false;
  #timer: NodeJS.Timeout | undefined;
  /** Until then the failure of all is known, on the clock of `performance.now`. */
  #quietUntil = 0;

  constructor(
    kube: KubeClient,
    states: readonly NamespaceState[],
    changed: (change: Change) => void,
    tell: (event: SourceEvent) => void,
  ) {
    this.#kube = kube;
    this.#states = states;
    this.#changed = changed;
    this.#tell = tell;
  }

  tell(change: Change | 'all'): void {
    if (change !== 'all') {
      if (this.#synced) this.#changed(change);
    } else if (this.#states.every(({ known, fault }) => known || fault !== undefined)) {
      if (this.#synced) this.#timer ??= setTimeout(() => this.#tellAll(), SETTLE);
      else this.#tellAll();
    }
  }

  #tellAll(): void {
    this.#timer = undefined;
    const change = fullSet(this.#states, this.#kube);
    this.#tell({ kind: 'namespaces-denied', count: deniedAmong(this.#states) });
    if (change.kind === 'failure') {
      // Each namespace fails at its own pace; one line for all of them is enough.
      if (performance.now() < this.#quietUntil) return;
      this.#quietUntil = performance.now() + change.retryIn * 0.9;
    } else {
      this.#quietUntil = 0;
      this.#synced = true;
      for (const state of this.#states) state.fresh = undefined;
    }
    this.#changed(change);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

/**
 * Services of a live cluster. A namespace that is denied is passed over and tried again slowly; where watching is
 * denied, it is listed each interval.
 */
export function clusterSource(
  kube: KubeClient,
  { namespaces, interval, interest, tell = () => {} }: ClusterOptions,
): Source {
  const chosen = namespaces.includes('*') ? ['*'] : [...new Set(namespaces)];
  return {
    async run(changed, signal) {
      const states = chosen.map(newState);
      if (interval === undefined) {
        await readInto(kube, states, interest, signal);
        if (!signal.aborted) changed(fullSet(states, kube));
        return;
      }
      const teller = new Teller(kube, states, changed, tell);
      const longest = Math.min(DEFAULT_TIMING.maxDelay, Math.max(interval, DEFAULT_TIMING.firstDelay));
      const ended = (reason: WatchEnd): void => tell({ kind: 'watch-ended', reason });
      const followed = { resync: interval, pace: { longest }, keepItems: false, ended };
      const each = (state: NamespaceState): Promise<void> =>
        runInformer(
          kube,
          { ...servicesIn(state.namespace, interest), ...followed },
          (told) => {
            if (told.kind === 'upsert' || told.kind === 'delete')
              tell({ kind: 'watch-event', change: told.kind });
            for (const change of take(state, told)) teller.tell(change);
          },
          signal,
        );
      await Promise.all(states.map(each)).finally(() => teller.end());
    },
  };
}

import { configMapsPath } from '../../kubernetes/config-maps.ts';
import type { KubeClient } from '../../kubernetes/connection.ts';
import { runInformer } from '../../kubernetes/informer.ts';
import { type ConfigMapName, shardTarget } from './config-map.ts';
import type { KnownShards } from './known-shards.ts';

export interface ShardWatchOptions {
  readonly kube: KubeClient;
  /** The main ConfigMap. */
  readonly target: ConfigMapName;
  readonly known: KnownShards;
  /** Called when another client wrote to a shard. */
  readonly changed: () => void;
  /** Called with each failure. */
  readonly failed: (error: unknown, doing: string) => void;
}

/** Watches the known shards until the signal is aborted. */
export async function watchShards(options: ShardWatchOptions, signal: AbortSignal): Promise<void> {
  const { known } = options;
  const watches = new Map<number, AbortController>();
  const running = new Set<Promise<void>>();
  const start = (shard: number): void => {
    const stop = new AbortController();
    watches.set(shard, stop);
    const watching = watchOne(shard, options, AbortSignal.any([signal, stop.signal]));
    running.add(watching);
    void watching.finally(() => running.delete(watching));
  };
  const sync = (): void => {
    if (signal.aborted) return;
    for (const shard of known.all.keys()) if (!watches.has(shard)) start(shard);
    for (const [shard, stop] of watches) {
      if (known.all.has(shard)) continue;
      stop.abort();
      watches.delete(shard);
    }
  };
  known.onChange = sync;
  sync();
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.all(running);
}

function watchOne(
  shard: number,
  { kube, target, known, changed, failed }: ShardWatchOptions,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name } = shardTarget(target, shard);
  let isFailing = false;
  return runInformer(
    kube,
    {
      path: configMapsPath(namespace),
      fieldSelector: `metadata.name=${name}`,
      select: ({ metadata }) => (metadata as { resourceVersion?: string } | undefined)?.resourceVersion,
    },
    (event) => {
      if (event.kind === 'failure' && !isFailing) failed(event.error, event.doing);
      isFailing = event.kind === 'failure';
      if (event.kind === 'failure' || event.kind === 'recovered') return;
      const [version] = event.kind === 'synced' ? event.items.values() : [event.item];
      if (event.kind === 'delete' || version !== known.all.get(shard)?.metadata?.resourceVersion) changed();
    },
    signal,
  );
}

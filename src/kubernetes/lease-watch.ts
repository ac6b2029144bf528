import type { KubeClient } from './connection.ts';
import { runInformer } from './informer.ts';
import { type LeaseName, leasesPath } from './leases.ts';

/** Callbacks of `watchLease`. */
export interface LeaseWatcher {
  /** Receives the unvalidated `spec`; undefined if the Lease was deleted. */
  readonly changed: (spec: unknown) => void;
  readonly failed: (error: unknown) => void;
  readonly recovered: () => void;
}

/** Watches one Lease until the signal is aborted. Does not throw. */
export async function watchLease(
  kube: KubeClient,
  { namespace, name }: LeaseName,
  { changed, failed, recovered }: LeaseWatcher,
  signal: AbortSignal,
): Promise<void> {
  await runInformer<unknown>(
    kube,
    {
      path: leasesPath(namespace),
      fieldSelector: `metadata.name=${name}`,
      select: ({ spec }) => spec ?? null,
    },
    (event) => {
      if (event.kind === 'failure') return failed(event.error);
      recovered();
      if (event.kind === 'synced') for (const spec of event.items.values()) changed(spec);
      if (event.kind === 'upsert') changed(event.item);
      if (event.kind === 'delete') changed(undefined);
    },
    signal,
  );
}

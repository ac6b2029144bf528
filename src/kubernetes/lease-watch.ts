import type { Kube } from './connection.ts';
import { type LeaseName, leasesPath } from './leases.ts';
import { follow } from './reflector.ts';

/** What is told of one Lease. */
export interface LeaseWatcher {
  /** The `spec` as it came; nothing if the Lease is gone. */
  readonly changed: (spec: unknown) => void;
  readonly failed: (error: unknown) => void;
  readonly recovered: () => void;
}

/** Tells of each change of one Lease, until the signal is aborted. Does not throw. */
export async function watchLease(
  kube: Kube,
  { namespace, name }: LeaseName,
  { changed, failed, recovered }: LeaseWatcher,
  signal: AbortSignal,
): Promise<void> {
  await follow<unknown>(
    kube,
    {
      path: leasesPath(namespace),
      fieldSelector: `metadata.name=${name}`,
      select: ({ spec }) => spec ?? null,
    },
    (told) => {
      if (told.kind === 'failure') return failed(told.error);
      recovered();
      if (told.kind === 'synced') for (const spec of told.items.values()) changed(spec);
      if (told.kind === 'upsert') changed(told.item);
      if (told.kind === 'delete') changed(undefined);
    },
    signal,
  );
}

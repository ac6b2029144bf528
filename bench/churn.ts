import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchCluster } from './cluster.ts';
import type { BenchService } from './services.ts';

/** How many Services are changed in a second. */
export const CHANGES_A_SECOND = 50;

/** Most changes that wait for the API server; beyond that it is the server that cannot follow. */
const MOST_OPEN = 100;

/** Counts up over all churns of a run: the same value again would change nothing. */
let value = 0;

/**
 * Changes Services, one after the other, until the signal is aborted: an annotation that means nothing, on applications
 * and backends alike. @returns how many were changed in a second
 */
export async function churn(
  { admin }: BenchCluster,
  services: readonly BenchService[],
  signal: AbortSignal,
): Promise<number> {
  const started = performance.now();
  const open = new Set<Promise<unknown>>();
  let count = 0;
  while (!signal.aborted) {
    const due = Math.floor(((performance.now() - started) / 1000) * CHANGES_A_SECOND);
    for (; count < due && open.size < MOST_OPEN; count++) {
      // A step that has no divisor in common with the number of Services meets each of them.
      const service = services[(count * 7919) % services.length];
      if (service === undefined) throw new Error('there are no Services to change');
      const path = `/api/v1/namespaces/${service.namespace}/services/${service.spec.name}`;
      const change = admin.patch(path, { metadata: { annotations: { 'bench/change': String(++value) } } });
      const done = change.finally(() => open.delete(done));
      open.add(done);
      done.catch(() => {});
    }
    await sleep(1000 / CHANGES_A_SECOND, undefined, { signal }).catch(() => {});
  }
  await Promise.all(open);
  return count / ((performance.now() - started) / 1000);
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchCluster } from './cluster.ts';
import type { BenchService } from './services.ts';

/** Changed Services per second. */
export const CHANGES_A_SECOND = 50;

/** Maximum pending changes. Beyond it, the API server is the bottleneck. */
const MOST_OPEN = 100;

/** Unique within a run, because writing the same value again changes nothing. */
let value = 0;

export interface ChurnOptions {
  /** Changes per second. */
  readonly rate?: number;
  /** The annotations of a change. Default: an annotation without meaning. */
  readonly annotations?: (value: string) => Readonly<Record<string, string>>;
}

/**
 * Changes the annotations of one Service after another, applications and backends alike, until the signal is aborted.
 * @returns changes per second
 */
export async function churn(
  { admin }: BenchCluster,
  services: readonly BenchService[],
  signal: AbortSignal,
  { rate = CHANGES_A_SECOND, annotations = (value) => ({ 'bench/change': value }) }: ChurnOptions = {},
): Promise<number> {
  const started = performance.now();
  const open = new Set<Promise<unknown>>();
  let count = 0;
  while (!signal.aborted) {
    const due = Math.floor(((performance.now() - started) / 1000) * rate);
    for (; count < due && open.size < MOST_OPEN; count++) {
      // A step that is coprime to the number of Services visits all of them.
      const service = services[(count * 7919) % services.length];
      if (service === undefined) throw new Error('there are no Services to change');
      const path = `/api/v1/namespaces/${service.namespace}/services/${service.spec.name}`;
      const change = admin.patch(path, { metadata: { annotations: annotations(String(++value)) } });
      const done = change.finally(() => open.delete(done));
      open.add(done);
      done.catch(() => {});
    }
    await sleep(1000 / rate, undefined, { signal }).catch(() => {});
  }
  await Promise.all(open);
  return count / ((performance.now() - started) / 1000);
}

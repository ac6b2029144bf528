import { setTimeout as sleep } from 'node:timers/promises';
import type { Kube } from '../kube/connection.ts';
import { listServices } from '../kube/services.ts';
import { clusterError, isDenied } from '../kube/status.ts';
import type { Problem } from '../model/discovery.ts';
import type { Service } from '../model/service.ts';
import { serviceFromObject } from './service-object.ts';
import type { Change, Source } from './source.ts';

export interface ClusterOptions {
  /** Namespaces to look into; `*` for all. */
  readonly namespaces: readonly string[];
  /** Time between two full reads, in milliseconds. */
  readonly interval: number;
}

const FIRST_RETRY = 1_000;
const LONGEST_RETRY = 60_000;

/** Pause before the next try after so many failures in a row: doubled each time up to a cap, and a random part less. */
function backoff(failures: number, interval: number): number {
  const longest = Math.min(LONGEST_RETRY, Math.max(interval, FIRST_RETRY));
  return Math.min(longest, FIRST_RETRY * 2 ** (failures - 1)) * (0.75 + Math.random() / 4);
}

function denied(namespace: string, error: unknown): Problem {
  const { message } = error as Error;
  return namespace === '*'
    ? {
        where: 'all namespaces',
        what: `listing Services was denied: ${message}`,
        fix: 'grant "list services" with a ClusterRole, or name the namespaces that it may read',
      }
    : {
        where: `namespace ${namespace}`,
        what: `listing Services was denied, so it is passed over: ${message}`,
        fix: 'grant "list services" there with a Role, or leave it out of the namespaces',
      };
}

/** All Services of the namespaces. A denied namespace is passed over; when all are, or the server is away, it throws. */
async function readAll(kube: Kube, options: ClusterOptions, signal: AbortSignal): Promise<Change> {
  const problems: Problem[] = [];
  const services: Service[] = [];
  const unread: string[] = [];
  const failures: unknown[] = [];
  const results = await Promise.allSettled(
    options.namespaces.map((namespace) => listServices(kube, namespace, signal)),
  );
  signal.throwIfAborted();
  for (const [index, result] of results.entries()) {
    const namespace = options.namespaces[index] ?? '';
    if (result.status === 'rejected') {
      failures.push(result.reason);
      if (isDenied(result.reason)) problems.push(denied(namespace, result.reason));
      else {
        unread.push(namespace);
        const { message } = clusterError(result.reason, 'list Services', kube.server);
        problems.push({ where: `namespace ${namespace}`, what: message });
      }
      continue;
    }
    for (const object of result.value) {
      const service = serviceFromObject(object, namespace);
      if (typeof service === 'string')
        problems.push({ where: `namespace ${namespace}`, what: `a Service is passed over: ${service}` });
      else services.push(service);
    }
  }
  if (failures.length === results.length) {
    const first = failures.find((failure) => !isDenied(failure)) ?? failures[0];
    throw clusterError(first, `list Services in ${options.namespaces.join(', ')}`, kube.server);
  }
  return { kind: 'sync', services, unread, problems };
}

/** Services of a live cluster: read in full at once and then each interval; after a failure sooner, more and more slowly. */
export function clusterSource(kube: Kube, options: ClusterOptions): Source {
  return {
    async run(changed, signal) {
      let failures = 0;
      while (!signal.aborted) {
        let pause = options.interval;
        try {
          changed(await readAll(kube, options, signal));
          failures = 0;
        } catch (error) {
          if (signal.aborted) return;
          failures += 1;
          pause = backoff(failures, options.interval);
          changed({ kind: 'failure', error, retryIn: pause });
        }
        await sleep(pause, undefined, { signal }).catch(() => {});
      }
    },
  };
}

import type { Kube } from '../kube/connection.ts';
import { readyServices } from '../kube/endpoint-slices.ts';
import { isDenied } from '../kube/status.ts';
import type { Candidate, Problem, Verdict } from '../model/discovery.ts';
import type { Prober } from './prober.ts';

/**
 * A prober that looks at EndpointSlices first: a Service none of whose addresses is ready is unhealthy, and is not
 * asked. Where slices may not be read, or there are none, everything is asked.
 */
export class ReadinessProber implements Prober {
  readonly #kube: Kube;
  readonly #prober: Prober;
  readonly #ready = new Map<string, Map<string, boolean>>();

  constructor(kube: Kube, prober: Prober) {
    this.#kube = kube;
    this.#prober = prober;
  }

  async prepare(candidates: readonly Candidate[], signal: AbortSignal): Promise<readonly Problem[]> {
    const namespaces = [...new Set(candidates.map(({ service }) => service.namespace))].sort();
    this.#ready.clear();
    const results = await Promise.allSettled(
      namespaces.map(async (namespace) => {
        this.#ready.set(namespace, await readyServices(this.#kube, namespace, signal));
      }),
    );
    signal.throwIfAborted();
    return results.flatMap((result, index) =>
      result.status === 'rejected' && isDenied(result.reason)
        ? {
            where: `namespace ${namespaces[index]}`,
            what: 'listing EndpointSlices was denied, so backends without a ready Pod are asked and time out',
            fix: 'grant "list" on endpointslices.discovery.k8s.io there',
          }
        : [],
    );
  }

  async probe(candidate: Candidate, signal: AbortSignal): Promise<Verdict> {
    const { namespace, name } = candidate.service;
    if (this.#ready.get(namespace)?.get(name) !== false) return this.#prober.probe(candidate, signal);
    return {
      health: 'unhealthy',
      authRequired: false,
      proof: 'unproven',
      reason: 'none of its endpoints is ready',
      steps: [],
    };
  }
}

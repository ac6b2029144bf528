import type { Kube } from '../kube/connection.ts';
import { readyServices } from '../kube/endpoint-slices.ts';
import { isDenied } from '../kube/status.ts';
import type { WatchedReadiness } from '../kube/watch-readiness.ts';
import type { Candidate, Problem, Verdict } from '../model/discovery.ts';
import type { Prober } from './prober.ts';

/**
 * A prober that looks at EndpointSlices first: a Service none of whose addresses is ready is unhealthy, and is not
 * asked. Where slices may not be read, or there are none, everything is asked.
 */
export class ReadinessProber implements Prober {
  readonly #kube: Kube;
  readonly #prober: Prober;
  readonly #watched: WatchedReadiness | undefined;
  readonly #ready = new Map<string, ReadonlyMap<string, boolean>>();

  /** @param watched what follows the slices; without it, and where it is not in step, they are listed in each pass */
  constructor(kube: Kube, prober: Prober, watched?: WatchedReadiness) {
    this.#kube = kube;
    this.#prober = prober;
    this.#watched = watched;
  }

  async prepare(candidates: readonly Candidate[], signal: AbortSignal): Promise<readonly Problem[]> {
    const namespaces = [...new Set(candidates.map(({ service }) => service.namespace))].sort();
    this.#ready.clear();
    this.#watched?.follow(namespaces);
    const results = await Promise.allSettled(
      namespaces.map(async (namespace) => {
        const known = await this.#watched?.known(namespace, signal);
        this.#ready.set(namespace, known ?? (await readyServices(this.#kube, namespace, signal)));
      }),
    );
    signal.throwIfAborted();
    return namespaces.flatMap((namespace, index) => {
      const result = results[index];
      return this.#denied(namespace, result?.status === 'rejected' ? result.reason : undefined) ?? [];
    });
  }

  #denied(namespace: string, error: unknown): Problem | undefined {
    const where = `namespace ${namespace}`;
    if (isDenied(error))
      return {
        where,
        what: 'listing EndpointSlices was denied, so backends without a ready Pod are asked and time out',
        fix: `grant ${this.#watched === undefined ? '"list"' : '"list" and "watch"'} on endpointslices.discovery.k8s.io there`,
      };
    if (isDenied(this.#watched?.fault(namespace)))
      return {
        where,
        what: 'watching EndpointSlices was denied, so a backend that is ready or not any more shows later',
        fix: 'grant "watch" on endpointslices.discovery.k8s.io there',
      };
    return undefined;
  }

  async probe(candidate: Candidate, signal: AbortSignal): Promise<Verdict> {
    const { namespace, name } = candidate.service;
    if (this.#ready.get(namespace)?.get(name) !== false) return this.#prober.probe(candidate, signal);
    return {
      health: 'unhealthy',
      authRequired: false,
      proof: 'unproven',
      fault: 'not_ready',
      reason: 'none of its endpoints is ready',
      steps: [],
    };
  }
}

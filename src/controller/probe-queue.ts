import type { Backoff } from '../model/backoff.ts';
import type { Candidate, Verdict } from '../model/discovery.ts';
import { displayKey, displayNamespace } from '../model/key.ts';
import { subjectOf } from '../probing/scheduled-prober.ts';
import type { EngineStages } from './pass.ts';
import { WorkQueue } from './work-queue.ts';

/** The backoff of a probe that throws. Probes should not throw. */
const RETRY: Backoff = { firstDelay: 15_000, maxDelay: 300_000 };

/** A changed Service gets a new key, so it does not wait for the probe of its previous version. */
const keyOf = (entryPoint: Candidate): string => `${displayKey(entryPoint.service)} ${subjectOf(entryPoint)}`;

/** Probes Services independently when they are due. */
export class ProbeQueue {
  readonly #stages: Pick<EngineStages, 'prober' | 'maxBackends'>;
  readonly #queue: WorkQueue<string>;
  /** The queued entry points. */
  readonly #entryPoints = new Map<string, Candidate>();
  /** Errors of probes, until they succeed. */
  readonly #faults = new Map<string, { readonly error: unknown }>();

  /** @param onResult called after each probe, with the namespace of its backend */
  constructor(
    stages: Pick<EngineStages, 'prober' | 'maxBackends'>,
    onResult: (namespace: string) => void,
    signal: AbortSignal,
  ) {
    this.#stages = stages;
    this.#queue = new WorkQueue<string>(
      {
        // The prober limits concurrency itself. Here no backend waits for another one.
        concurrency: stages.maxBackends,
        groupOf: (key) => {
          const entryPoint = this.#entryPoints.get(key);
          return entryPoint === undefined ? '' : displayNamespace(entryPoint.service);
        },
        process: (key, each) => this.#probe(key, each),
        onFailure: (key, error) => {
          // A dropped entry point is not probed again, so its error would stay forever.
          if (this.#entryPoints.has(key)) this.#faults.set(key, { error });
        },
        onDone: (_, namespace) => onResult(namespace),
        backoff: RETRY,
        random: Math.random,
      },
      signal,
    );
  }

  /** Resolves when no probe is running. */
  get idle(): Promise<void> {
    return this.#queue.idle;
  }

  get isIdle(): boolean {
    return this.#queue.size === 0;
  }

  /** The last verdict on an entry point, if there is one. Enqueues a probe if one is due. @throws the error of its probe */
  recall(entryPoint: Candidate): Verdict | undefined {
    const { verdict, isDue } = this.#stages.prober.recall(entryPoint);
    if (!isDue && this.#faults.size === 0) return verdict;
    const key = keyOf(entryPoint);
    const fault = this.#faults.get(key);
    if (fault !== undefined) throw fault.error;
    if (isDue && !this.#queue.has(key)) {
      this.#entryPoints.set(key, entryPoint);
      this.#queue.add(key);
    }
    return verdict;
  }

  /** Removes all other entry points from the queue. */
  retain(entryPoints: readonly Candidate[]): void {
    if (this.#entryPoints.size === 0) return;
    const kept = new Set(entryPoints.map(keyOf));
    for (const key of this.#entryPoints.keys()) {
      if (kept.has(key)) continue;
      this.#queue.remove(key);
      this.#entryPoints.delete(key);
      this.#faults.delete(key);
    }
  }

  async #probe(key: string, signal: AbortSignal): Promise<void> {
    const entryPoint = this.#entryPoints.get(key);
    if (entryPoint === undefined) return;
    await this.#stages.prober.probe(entryPoint, signal);
    this.#faults.delete(key);
    this.#entryPoints.delete(key);
  }
}

import type { Backoff } from '../model/backoff.ts';
import type { Candidate, Verdict } from '../model/discovery.ts';
import { displayKey, displayNamespace } from '../model/key.ts';
import { subjectOf } from '../probing/scheduled-prober.ts';
import type { EngineStages } from './pass.ts';
import { WorkQueue } from './work-queue.ts';

/** The backoff of a probe that throws. Probes should not throw. */
const RETRY: Backoff = { firstDelay: 15_000, maxDelay: 300_000 };

/** A changed Service gets a new key, so it does not wait for the probe of its previous version. */
const keyOf = (way: Candidate): string => `${displayKey(way.service)} ${subjectOf(way)}`;

/** Probes Services independently when they are due. */
export class ProbeQueue {
  readonly #stages: Pick<EngineStages, 'prober' | 'maxBackends'>;
  readonly #queue: WorkQueue<string>;
  /** The queued entry points. */
  readonly #ways = new Map<string, Candidate>();
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
          const way = this.#ways.get(key);
          return way === undefined ? '' : displayNamespace(way.service);
        },
        process: (key, each) => this.#probe(key, each),
        onFailure: (key, error) => {
          // A dropped entry point is not probed again, so its error would stay forever.
          if (this.#ways.has(key)) this.#faults.set(key, { error });
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
  recall(way: Candidate): Verdict | undefined {
    const { verdict, isDue } = this.#stages.prober.recall(way);
    if (!isDue && this.#faults.size === 0) return verdict;
    const key = keyOf(way);
    const fault = this.#faults.get(key);
    if (fault !== undefined) throw fault.error;
    if (isDue && !this.#queue.has(key)) {
      this.#ways.set(key, way);
      this.#queue.add(key);
    }
    return verdict;
  }

  /** Removes all other entry points from the queue. */
  retain(ways: readonly Candidate[]): void {
    if (this.#ways.size === 0) return;
    const kept = new Set(ways.map(keyOf));
    for (const key of this.#ways.keys()) {
      if (kept.has(key)) continue;
      this.#queue.remove(key);
      this.#ways.delete(key);
      this.#faults.delete(key);
    }
  }

  async #probe(key: string, signal: AbortSignal): Promise<void> {
    const way = this.#ways.get(key);
    if (way === undefined) return;
    await this.#stages.prober.probe(way, signal);
    this.#faults.delete(key);
    this.#ways.delete(key);
  }
}

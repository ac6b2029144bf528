import { setTimeout as sleep } from 'node:timers/promises';
import type { DiscoveredService, Problem } from '../model/discovery.ts';
import { type Service, type ServiceKey, serviceKey } from '../model/service.ts';
import type { Agent } from '../reconcile/agent-follow.ts';
import type { Change, Source } from '../source/source.ts';
import { discover, type Stages, toolKinds } from './pass.ts';
import { type Reconciled, Reconciler, type ReconcilerOptions } from './reconciler.ts';

export interface EngineOptions extends Omit<ReconcilerOptions, 'generation'> {
  readonly source: Source;
  readonly stages: Stages;
  readonly generation: Omit<ReconcilerOptions['generation'], 'kinds'>;
  /** Milliseconds until a pass is worth while though nothing changed: a failed backend may be back. */
  readonly nextRetry: () => number | undefined;
  /** Sees to it that the agent reads what is published, where that is wanted. */
  readonly agent: Agent | undefined;
  /** End after the first pass that was published, or with the first failure. */
  readonly once: boolean;
}

const FIRST_RETRY = 1_000;
/** Shortest pause between two passes for which nothing but time is a reason, in milliseconds. */
const SHORTEST_PAUSE = 1_000;
const LONGEST_RETRY = 30_000;

/**
 * The loop: keeps what the source told, and whenever something changed makes what is published follow from all of it.
 * A change only says "look again", so changes that come while a pass runs make one more pass together.
 */
export class Engine {
  readonly #options: EngineOptions;
  readonly #reconciler: Reconciler;
  readonly #services = new Map<ServiceKey, Service>();
  #sourceProblems: readonly Problem[] = [];
  #found: readonly DiscoveredService[] = [];
  #cycle = 0;
  /** The source told all that there is at least once: before that, nothing may be concluded from what is missing. */
  #synced = false;
  /** The source told something since the last look. */
  #changed = false;
  #wake = Promise.withResolvers<void>();

  constructor(options: EngineOptions) {
    this.#options = options;
    const { generation, stages } = options;
    this.#reconciler = new Reconciler({
      ...options,
      generation: { ...generation, kinds: toolKinds(stages.rules) },
    });
  }

  /**
   * Runs until the signal is aborted; with `once`, until the first pass is published.
   * @throws only with `once`: the first failure; or what the source throws because it can never work
   */
  async run(signal: AbortSignal): Promise<void> {
    const { source, publisher, tell, once } = this.#options;
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    let failure: { readonly error: unknown } | undefined;
    const fail = (error: unknown): void => {
      failure ??= { error };
      stop.abort();
    };
    const onChange = (change: Change): void => {
      if (change.kind === 'failure') {
        tell({ kind: 'source-failed', error: change.error, retryIn: change.retryIn });
        if (once) fail(change.error);
        return;
      }
      this.#take(change);
      this.#changed = true;
      this.#synced ||= change.kind === 'sync';
      this.#wake.resolve();
    };
    const watching = once
      ? undefined
      : publisher.watch?.(
          () => this.#wake.resolve(),
          (error) => tell({ kind: 'watch-failed', error }),
          both,
        );
    const running = [source.run(onChange, both).catch(fail), watching?.catch(fail)];
    try {
      await this.#passes(both);
    } catch (error) {
      if (!both.aborted) failure ??= { error };
    } finally {
      stop.abort();
      await Promise.all(running);
    }
    if (failure !== undefined && !signal.aborted) throw failure.error;
  }

  #take(change: Exclude<Change, { kind: 'failure' }>): void {
    switch (change.kind) {
      case 'upsert':
        this.#services.set(serviceKey(change.service), change.service);
        return;
      case 'delete':
        this.#services.delete(change.key);
        return;
      case 'sync': {
        const unread = new Set(change.unread);
        for (const [key, { namespace }] of this.#services)
          if (!unread.has(namespace)) this.#services.delete(key);
        for (const service of change.services) this.#services.set(serviceKey(service), service);
        this.#sourceProblems = change.problems;
      }
    }
  }

  async #passes(signal: AbortSignal): Promise<void> {
    let failures = 0;
    let retry: number | undefined;
    while (!signal.aborted) {
      const { nextRetry, agent } = this.#options;
      const pauses = [retry, this.#reconciler.due, nextRetry(), agent?.nextDue()];
      await this.#woken(
        pauses.filter((pause) => pause !== undefined),
        signal,
      );
      if (signal.aborted) return;
      if (!this.#synced) continue;
      retry = await this.#pass(signal, failures);
      failures = retry === undefined ? 0 : failures + 1;
      if (this.#options.once) return;
    }
  }

  /** Waits until something changed, or one of these times is over, in milliseconds. */
  async #woken(pauses: readonly number[], signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    const aborted = new Promise<void>((resolve) =>
      either.addEventListener('abort', () => resolve(), { once: true }),
    );
    const timer =
      pauses.length === 0
        ? []
        : [
            sleep(Math.max(SHORTEST_PAUSE, Math.min(...pauses)), undefined, { signal: either }).catch(
              () => {},
            ),
          ];
    await Promise.race([this.#wake.promise, aborted, ...timer]);
    over.abort();
    this.#wake = Promise.withResolvers<void>();
  }

  /** Looks what is there, unless nothing says that it is other than it was. */
  async #look(cycle: number, signal: AbortSignal): Promise<void> {
    const { stages, nextRetry, tell } = this.#options;
    if (!this.#changed && (nextRetry() ?? Number.POSITIVE_INFINITY) > 0) return;
    this.#changed = false;
    const started = performance.now();
    const before = this.#found;
    const examined = this.#services.size;
    const { services, problems } = await discover(this.#services.values(), stages, signal).catch(
      (error: unknown) => {
        this.#changed = true;
        throw error;
      },
    );
    this.#found = services;
    tell({
      kind: 'pass',
      cycle,
      before,
      services,
      problems: [...this.#sourceProblems, ...problems],
      examined,
      milliseconds: performance.now() - started,
    });
  }

  /** Sees to the agent. It is not waited for: an agent that is slow or away never keeps a toolset from being published. */
  async #follow(reconciled: Reconciled, cycle: number, signal: AbortSignal): Promise<void> {
    const { agent, tell } = this.#options;
    try {
      const outcomes = (await agent?.follow(reconciled, signal)) ?? [];
      for (const outcome of outcomes) tell({ kind: 'agent', cycle, outcome });
      // What is due next is other than it was when the loop went to sleep.
      if (outcomes.length > 0) this.#wake.resolve();
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** One pass. @returns the pause before another try, in milliseconds, if publishing failed */
  async #pass(signal: AbortSignal, failures: number): Promise<number | undefined> {
    const cycle = ++this.#cycle;
    try {
      await this.#look(cycle, signal);
      const reconciled = await this.#reconciler.run(this.#found, cycle, signal);
      const followed = reconciled === undefined ? undefined : this.#follow(reconciled, cycle, signal);
      if (this.#options.once) await followed;
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      if (this.#options.once) throw error;
      const retryIn = retryPause(failures);
      this.#options.tell({ kind: 'publish-failed', cycle, error, retryIn });
      return retryIn;
    }
  }
}

/** Pause before the next try when so many failed before, in milliseconds: doubled each time up to a cap, with jitter. */
function retryPause(failures: number): number {
  return Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** failures) * (0.75 + Math.random() / 4);
}

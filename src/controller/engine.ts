import type { Change, Source } from '../sources/source.ts';
import { DiscoveryLoop, type DiscoveryOptions } from './discovery-loop.ts';
import { type EngineStages, toolKinds } from './pass.ts';
import { ReconcileLoop, type ReconcileLoopOptions } from './reconcile-loop.ts';
import { ToolWatch } from './tool-changes.ts';

export interface EngineOptions extends Omit<ReconcileLoopOptions, 'generation' | 'tools'> {
  readonly source: Source;
  readonly stages: EngineStages;
  readonly generation: Omit<ReconcileLoopOptions['generation'], 'kinds'>;
}

/**
 * Runs the loops: discovery keeps a snapshot of all backends, and a reconcile loop keeps the output in step with it. All
 * of them are level-triggered: they work from the current state, so a lost or duplicate event is harmless.
 */
export class Engine {
  #options: EngineOptions;
  /** The options from the next session on. */
  #pendingOptions: EngineOptions | undefined;
  #session = new AbortController();
  /** Outlives reconcilers: neither other options nor a new leader make changed tools look new. */
  readonly #tools = new ToolWatch();
  readonly #discovery: DiscoveryLoop;
  readonly #reconcile: ReconcileLoop;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#discovery = new DiscoveryLoop(discoveryOptions(options), (isOther, isFullResync) =>
      // With each full resync it is noticed what was missed of changes to the output.
      this.#reconcile.onSnapshot(isOther || isFullResync),
    );
    this.#reconcile = new ReconcileLoop(this.#reconcileOptions(), this.#discovery);
  }

  /**
   * Runs until the signal is aborted; with `once`, until the first publication.
   * @throws only with `once`: the first failure; or what the source throws because it can never work
   */
  async run(signal: AbortSignal): Promise<void> {
    do {
      this.#applyPendingOptions();
      this.#session = new AbortController();
      await this.#runSession(AbortSignal.any([signal, this.#session.signal]));
    } while (this.#pendingOptions !== undefined && !signal.aborted);
  }

  /**
   * Works with other options from now on. What is published stands until the new source has listed everything. What was
   * known of places that it cannot read stands as well, so a change of options loses nothing.
   */
  reconfigure(options: EngineOptions): void {
    this.#pendingOptions = options;
    this.#session.abort();
  }

  #applyPendingOptions(): void {
    if (this.#pendingOptions === undefined) return;
    this.#options = this.#pendingOptions;
    this.#pendingOptions = undefined;
    this.#discovery.reconfigure(discoveryOptions(this.#options));
    this.#reconcile.reconfigure(this.#reconcileOptions());
  }

  #reconcileOptions(): ReconcileLoopOptions {
    const generation = { ...this.#options.generation, kinds: toolKinds(this.#options.stages.rules) };
    return { ...this.#options, generation, tools: this.#tools };
  }

  /** The number of the discovery run that goes on or was the last; the next one has a higher one. */
  get cycle(): number {
    return this.#discovery.cycle;
  }

  /** Resolves when no backend is being probed. */
  get idle(): Promise<void> {
    return this.#discovery.idle;
  }

  /** Runs discovery soon: something that it depends on changed. */
  wake(): void {
    this.#discovery.wake();
  }

  /** This process may publish from now on, and does so at once. Others may have written since. */
  onStartedLeading(): void {
    this.#discovery.restart();
    this.#reconcile.onStartedLeading();
  }

  /** Works with the options as they are until the signal is aborted. */
  async #runSession(signal: AbortSignal): Promise<void> {
    const { source, publisher, tell, once } = this.#options;
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    let failure: { readonly error: unknown } | undefined;
    const fail = (error: unknown): void => {
      if (!either.aborted) failure ??= { error };
      stop.abort();
    };
    const onChange = (change: Change): void => {
      if (change.kind !== 'failure') {
        this.#discovery.apply(change);
        return;
      }
      const { error, reason, retryIn } = change;
      tell({ kind: 'source-failed', error, reason, retryIn });
      if (once) fail(error);
    };
    const watching = once
      ? undefined
      : publisher.watch?.(
          () => this.#reconcile.onExternalChange(),
          (error) => tell({ kind: 'watch-failed', error }),
          either,
        );
    const running = [source.run(onChange, either), watching, this.#discovery.run(either)];
    const published = this.#reconcile.run(either).then(() => stop.abort());
    await Promise.all([...running, published].map((each) => each?.catch(fail)));
    if (failure !== undefined && !signal.aborted) throw failure.error;
  }
}

const discoveryOptions = ({
  stages,
  publisher,
  outputs,
  generation,
  tell,
  once,
}: EngineOptions): DiscoveryOptions => ({
  stages,
  publisher,
  outputs,
  credentials: generation.credentials,
  tell,
  once,
});

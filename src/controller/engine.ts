import type { Problem } from '../model/discovery.ts';
import { HOME_CLUSTER } from '../model/key.ts';
import type { Change, Source } from '../sources/source.ts';
import { DiscoveryLoop, type DiscoveryOptions } from './discovery-loop.ts';
import type { EngineEvent } from './events.ts';
import { type EngineStages, toolKinds } from './pass.ts';
import { type Discovery, ReconcileLoop, type ReconcileLoopOptions } from './reconcile-loop.ts';
import type { EngineTarget } from './target.ts';
import { ToolWatch } from './tool-changes.ts';

export interface EngineOptions
  extends Pick<ReconcileLoopOptions, 'version' | 'now' | 'emit' | 'once' | 'mayPublish'> {
  readonly source: Source;
  readonly stages: EngineStages;
  /** The first one is the home target. */
  readonly targets: readonly [home: EngineTarget, ...others: EngineTarget[]];
}

/** A target and its loop. */
interface TargetLoop {
  readonly target: EngineTarget;
  readonly emit: (event: EngineEvent) => void;
  readonly loop: ReconcileLoop;
}

/**
 * Runs the loops: discovery maintains a snapshot of all backends, and each target has a reconcile loop. No target waits for
 * another one. All loops are level-triggered: they work from the current state, so a lost or duplicate event is harmless.
 */
export class Engine {
  #options: EngineOptions;
  /** The options for the next session. */
  /** The clusters that cannot be read. */
  #unread: ReadonlySet<string> = new Set();
  #pendingOptions: EngineOptions | undefined;
  #session = new AbortController();
  /** Outlives reconcilers, so that a change of options or leader does not make known tools look changed. */
  readonly #tools = new ToolWatch();
  readonly #discovery: DiscoveryLoop;
  /** In the order of the targets. */
  #loops: readonly TargetLoop[] = [];

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#discovery = new DiscoveryLoop(discoveryOptions(options), (isOther, isFullResync) => {
      // A full resync also finds external changes whose notifications were lost.
      for (const { loop } of this.#loops) loop.onSnapshot(isOther || isFullResync);
    });
    this.#setTargets();
  }

  /**
   * Runs until the signal is aborted; with `once`, until the first publication to each target.
   * @throws only with `once`, the first failure; or an error of the source that cannot be retried
   */
  async run(signal: AbortSignal): Promise<void> {
    do {
      this.#applyPendingOptions();
      this.#session = new AbortController();
      await this.#runSession(AbortSignal.any([signal, this.#session.signal]));
    } while (this.#pendingOptions !== undefined && !signal.aborted);
  }

  /**
   * Applies other options. The published state stays until the new source has listed everything. State of places that the
   * new source cannot read is kept, so a change of options loses nothing.
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
    this.#setTargets();
  }

  /** Updates the loops to the targets in the options. An existing target keeps its loop. */
  #setTargets(): void {
    const before = new Map(this.#loops.map(({ target, loop }) => [target.id, loop]));
    const [home] = this.#options.targets;
    this.#loops = this.#options.targets.map((target) => {
      const emit = emitterFor(this.#options, target);
      const options = this.#loopOptions(target, emit);
      const loop = before.get(target.id);
      loop?.reconfigure(options);
      const discovery = target === home ? this.#discovery : withoutLearning(this.#discovery);
      return { target, emit, loop: loop ?? new ReconcileLoop(options, discovery) };
    });
  }

  #loopOptions(target: EngineTarget, emit: TargetLoop['emit']): ReconcileLoopOptions {
    const { version, now, once, mayPublish, stages, targets } = this.#options;
    return {
      ...target,
      generation: { ...target.generation, kinds: toolKinds(stages.rules) },
      version,
      now,
      emit,
      once,
      ...(mayPublish === undefined ? {} : { mayPublish }),
      tools: target === targets[0] ? this.#tools : undefined,
    };
  }

  /** The number of the current or last discovery run. It only increases. */
  get cycle(): number {
    return this.#discovery.cycle;
  }

  /** Resolves when no probe is running. */
  get idle(): Promise<void> {
    return this.#discovery.idle;
  }

  /** Triggers a run of discovery. */
  wake(): void {
    this.#discovery.wake();
  }

  /** This process may publish from now on, and does so at once. Another leader may have changed the target. */
  onStartedLeading(): void {
    this.#discovery.restart();
    for (const { loop } of this.#loops) loop.onStartedLeading();
  }

  /** Triggers a target's loop after external changes, and all other loops if the change may be in their overrides. */
  async #watch({ target, emit, loop }: TargetLoop, signal: AbortSignal): Promise<void> {
    const isHome = target === this.#options.targets[0];
    await target.publisher.watch?.(
      () => {
        loop.onExternalChange();
        for (const other of this.#loops)
          if (isHome && other.target.readOverrides !== undefined) other.loop.onExternalChange();
      },
      (error) => emit({ kind: 'watch-failed', error }),
      signal,
    );
  }

  /** Triggers a target's loop after external changes of what its agent reads. */
  async #watchAgent({ target, emit, loop }: TargetLoop, signal: AbortSignal): Promise<void> {
    const note = (problem: Problem): void =>
      emit({ kind: 'agent', cycle: this.cycle, outcome: { kind: 'agent-note', problem } });
    await target.follower?.watch?.({ changed: () => loop.onAgentChange(), note }, signal);
  }

  /** A cluster could be read. Those that the source no longer has do not count. */
  #onRead(cluster = HOME_CLUSTER): void {
    if (this.#unread.size === 0) return;
    const { source, emit } = this.#options;
    const all = new Set(source.clusters ?? [HOME_CLUSTER]);
    all.delete(cluster);
    this.#unread = new Set([...this.#unread].filter((each) => all.has(each)));
    if (this.#unread.size === 0) emit({ kind: 'source-recovered' });
  }

  /** Runs the loops with the current options until the signal is aborted. */
  async #runSession(signal: AbortSignal): Promise<void> {
    const { source, emit, once } = this.#options;
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    let failure: { readonly error: unknown } | undefined;
    const note = (error: unknown): void => {
      if (!either.aborted) failure ??= { error };
    };
    const fail = (error: unknown): void => {
      note(error);
      stop.abort();
    };
    const onChange = (change: Change): void => {
      if (change.kind !== 'failure') {
        this.#discovery.apply(change);
        if (change.kind === 'sync') this.#onRead(change.cluster);
        return;
      }
      this.#unread = new Set([...this.#unread, change.cluster ?? HOME_CLUSTER]);
      emit({ ...change, kind: 'source-failed' });
      if (once) fail(change.error);
    };
    // With `once`, the failure of one target must not prevent the publication to others.
    const published = this.#loops.map(({ loop }) => loop.run(either).catch(once ? note : fail));
    const running = [
      source.run(onChange, either),
      this.#discovery.run(either),
      ...(once
        ? []
        : this.#loops.flatMap((each) => [this.#watch(each, either), this.#watchAgent(each, either)])),
      Promise.all(published).then(() => stop.abort()),
    ];
    await Promise.all(running.map((each) => each.catch(fail)));
    if (failure !== undefined && !signal.aborted) throw failure.error;
  }
}

/** Adds the target's id to events, except for the home target. */
function emitterFor({ emit, targets }: EngineOptions, target: EngineTarget): TargetLoop['emit'] {
  return target === targets[0] ? emit : (event) => emit({ ...event, targetId: target.id });
}

/** Discovery for the loop of a target that does not decide on names or approvals. */
function withoutLearning(discovery: Discovery): Discovery {
  return {
    get snapshot() {
      return discovery.snapshot;
    },
    get cycle() {
      return discovery.cycle;
    },
    learn() {},
  };
}

const discoveryOptions = ({
  source,
  stages,
  targets: [home],
  emit,
  once,
}: EngineOptions): DiscoveryOptions => ({
  stages,
  clusters: source.clusters,
  publisher: home.publisher,
  outputs: home.outputs,
  credentials: home.generation.credentials,
  emit,
  once,
});

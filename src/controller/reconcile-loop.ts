import type { Naming } from '../detection/names.ts';
import type { Approvals } from '../model/approvals.ts';
import { FindingsError } from '../model/errors.ts';
import { type Groups, publishedGroups } from '../planning/backend-groups.ts';
import { observe } from '../planning/observed.ts';
import { AdaptiveDebounce } from './debounce.ts';
import type { Snapshot } from './discovery-loop.ts';
import { observedApprovals, observedNaming } from './naming.ts';
import { type Reconciled, Reconciler, type ReconcilerOptions } from './reconciler.ts';
import { Retry } from './retry.ts';
import { pause, Trigger } from './trigger.ts';

export interface ReconcileLoopOptions extends ReconcilerOptions {
  /** Whether this process may write now. Defaults to always. */
  readonly mayPublish?: () => boolean;
}

/** What the loop needs to know of discovery, and what discovery learns from what is published. */
export interface Discovery {
  readonly snapshot: Snapshot | undefined;
  /** The number of the last run. */
  readonly cycle: number;
  learn(naming: Naming | undefined, approvals: Approvals | undefined, groups: Groups | undefined): void;
}

/** Shortest delay before a run for which only time is a reason, in milliseconds. */
const SHORTEST_DELAY = 1_000;

/** Keeps one target in step with the last snapshot, and with what other processes write there. */
export class ReconcileLoop {
  #options: ReconcileLoopOptions;
  readonly #discovery: Discovery;
  #reconciler: Reconciler;
  readonly #trigger = new Trigger();
  readonly #debounce = new AdaptiveDebounce();
  readonly #retry = new Retry();
  /** What is published may differ from the desired state. */
  #needsReconcile = true;
  /** Somebody else wrote to the target since the last run. */
  #isChangedOutside = false;
  /** The last failure was one of new documents only: what is published was reverted to the last good ones. */
  #isReverted = false;

  constructor(options: ReconcileLoopOptions, discovery: Discovery) {
    this.#options = options;
    this.#discovery = discovery;
    this.#reconciler = new Reconciler(options);
  }

  /** Runs soon, since there is a snapshot. @param isOther other documents may follow from it */
  onSnapshot(isOther: boolean): void {
    this.#needsReconcile ||= isOther;
    this.#trigger.fire();
  }

  /** Runs soon: somebody else wrote to the target. */
  onExternalChange(): void {
    this.#needsReconcile = true;
    this.#isChangedOutside = true;
    this.#trigger.fire();
  }

  /** This process may publish from now on. Others may have written since, so nothing that was remembered counts. */
  onStartedLeading(): void {
    this.#reset(undefined);
  }

  /** Works with other options from now on. */
  reconfigure(options: ReconcileLoopOptions): void {
    this.#options = options;
    this.#reset(this.#reconciler);
  }

  #reset(before: Reconciler | undefined): void {
    this.#reconciler = new Reconciler(this.#options, before);
    this.#needsReconcile = true;
    this.#retry.succeeded();
    this.#trigger.fire();
  }

  /** Runs until the signal is aborted; with `once`, until the first publication. @throws only with `once` */
  async run(signal: AbortSignal): Promise<void> {
    const { once } = this.#options;
    while (!signal.aborted) {
      const isFired = await this.#trigger.wait(this.#delay(), signal);
      if (!this.#hasWork()) continue;
      if (isFired && !once) await pause(this.#debounce.next(performance.now()), signal);
      // A new leader or other options take a new snapshot.
      if (signal.aborted || this.#discovery.snapshot === undefined) continue;
      await this.#runOnce(this.#discovery.snapshot, signal);
      if (once) return;
    }
  }

  #mayPublish(): boolean {
    return this.#options.mayPublish?.() ?? true;
  }

  #hasWork(): boolean {
    if (this.#discovery.snapshot === undefined || this.#isBackedOff()) return false;
    return this.#needsReconcile || this.#dueDelays().some((delay) => delay <= 0);
  }

  /**
   * The last run failed, and it is too early for another one. What somebody else wrote is reverted at once all the same,
   * where only the new documents have a fault.
   */
  #isBackedOff(): boolean {
    return this.#retry.isWaiting && !(this.#isReverted && this.#isChangedOutside);
  }

  /** Milliseconds until there is something to do although nothing happens. */
  #delay(): number | undefined {
    if (this.#discovery.snapshot === undefined) return undefined;
    if (this.#retry.due !== undefined) return this.#retry.due;
    const delays = this.#dueDelays();
    return delays.length === 0 ? undefined : Math.max(SHORTEST_DELAY, Math.min(...delays));
  }

  /** When something is to be written, or to be read by the agent, although nothing changed. */
  #dueDelays(): number[] {
    if (!this.#mayPublish()) return [];
    return [this.#reconciler.due, this.#options.follower?.nextDue()].filter((delay) => delay !== undefined);
  }

  async #runOnce(snapshot: Snapshot, signal: AbortSignal): Promise<void> {
    if (!this.#mayPublish()) return await this.#observe(signal);
    const reconciler = this.#reconciler;
    try {
      await this.#reconcile(reconciler, snapshot, signal);
    } catch (error) {
      signal.throwIfAborted();
      this.#needsReconcile = true;
      // Whoever leads now publishes, and what kept us from it is no failure.
      if (!this.#mayPublish() || reconciler !== this.#reconciler) return;
      if (this.#options.once) throw error;
      const retryIn = this.#retry.failed(error);
      const { failures } = this.#retry;
      const { cycle } = snapshot;
      this.#options.tell({ kind: 'publish-failed', cycle, attempt: failures, error, retryIn });
    }
  }

  /** @throws what keeps the desired state from being published */
  async #reconcile(reconciler: Reconciler, snapshot: Snapshot, signal: AbortSignal): Promise<void> {
    const { once } = this.#options;
    const { cycle, services: found, contradicted, groups } = snapshot;
    this.#needsReconcile = false;
    this.#isChangedOutside = false;
    this.#isReverted = false;
    const reconciled = await reconciler
      .run({ found, contradicted, groups }, cycle, signal)
      .finally(() => this.#discovery.learn(reconciler.naming, reconciler.approvals, reconciler.groups));
    const followed = reconciled === undefined ? undefined : this.#follow(reconciled, cycle, signal);
    if (once) await followed;
    if (reconciled?.failure !== undefined) {
      this.#isReverted = true;
      throw reconciled.failure.error;
    }
    // Nobody records it later, and nobody looks at a job that succeeded.
    if (once && reconciled?.unrecorded !== undefined)
      throw new FindingsError(
        `the toolset is published, and is not in the history, so there is no rollback to it: ${reconciled.unrecorded}`,
      );
    this.#retry.succeeded();
  }

  /** Reads what the leader has published. */
  async #observe(signal: AbortSignal): Promise<void> {
    const { publisher, outputs, tell, generation } = this.#options;
    const { snapshot, cycle } = this.#discovery;
    // What happens meanwhile, such as that this process leads, is for the next run.
    this.#needsReconcile = false;
    try {
      const live = observe(await publisher.read(signal), outputs);
      const naming = observedNaming(live, generation.credentials, snapshot?.services ?? []);
      this.#discovery.learn(naming, observedApprovals(live), publishedGroups(live));
      tell({ kind: 'observed', live });
      this.#retry.succeeded();
    } catch (error) {
      signal.throwIfAborted();
      this.#needsReconcile = true;
      tell({ kind: 'observe-failed', cycle, error, retryIn: this.#retry.failed(error) });
    }
  }

  /** Updates the agent. Nothing waits for it: a slow agent never delays a publication. */
  async #follow(reconciled: Reconciled, cycle: number, signal: AbortSignal): Promise<void> {
    const { follower, tell } = this.#options;
    try {
      const outcomes = (await follower?.follow(reconciled, signal)) ?? [];
      for (const outcome of outcomes)
        if (outcome.kind !== 'agent-failed' || this.#mayPublish()) tell({ kind: 'agent', cycle, outcome });
      // The time until the next one changed while the loop waits.
      if (outcomes.length > 0) this.#trigger.fire();
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

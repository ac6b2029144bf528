import { isDeepStrictEqual } from 'node:util';
import type { Naming } from '../detection/names.ts';
import type { Approvals } from '../model/approvals.ts';
import { FindingsError, IncompleteError } from '../model/errors.ts';
import { unusableOverrides } from '../model/what-stays.ts';
import type { AgentState } from '../outputs/output.ts';
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

/** The interface to discovery: its snapshot, and what it learns from the published state. */
export interface Discovery {
  readonly snapshot: Snapshot | undefined;
  /** The number of the last run. */
  readonly cycle: number;
  learn(naming: Naming | undefined, approvals: Approvals | undefined, groups: Groups | undefined): void;
}

/** Minimum delay of a run that only time causes, in milliseconds. */
const SHORTEST_DELAY = 1_000;

/** Keeps one target in sync with the last snapshot, and reverts external changes. */
export class ReconcileLoop {
  #options: ReconcileLoopOptions;
  readonly #discovery: Discovery;
  #reconciler: Reconciler;
  readonly #trigger = new Trigger();
  readonly #debounce = new AdaptiveDebounce();
  readonly #retry = new Retry();
  /** The published state may differ from the desired state. */
  #needsReconcile = true;
  /** Another client wrote to the target since the last run. */
  #isChangedOutside = false;
  /** The last failure affected only new documents: the last good ones are published. */
  #isReverted = false;
  /** The last reported state of the agent. */
  #agentState: AgentState | undefined;

  constructor(options: ReconcileLoopOptions, discovery: Discovery) {
    this.#options = options;
    this.#discovery = discovery;
    this.#reconciler = new Reconciler(options);
  }

  /** Triggers a run for a new snapshot. @param isOther the documents may change */
  onSnapshot(isOther: boolean): void {
    this.#needsReconcile ||= isOther;
    this.#trigger.fire();
  }

  /** Triggers a run after an external change. */
  onExternalChange(): void {
    this.#needsReconcile = true;
    this.#isChangedOutside = true;
    this.#trigger.fire();
  }

  /** Triggers a run after an external change of what the agent reads. */
  onAgentChange(): void {
    this.#trigger.fire();
  }

  /** This process may publish from now on. Another leader may have changed the target, so nothing remembered is valid. */
  onStartedLeading(): void {
    this.#reset(undefined);
  }

  /** Applies other options. */
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
      // A new leader, and other options, require a new snapshot.
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
   * Whether the loop is in backoff after a failure. External changes are still reverted at once if only the new documents
   * are faulty.
   */
  #isBackedOff(): boolean {
    return this.#retry.isWaiting && !(this.#isReverted && this.#isChangedOutside);
  }

  /** Milliseconds until a run is due without any event. */
  #delay(): number | undefined {
    if (this.#discovery.snapshot === undefined) return undefined;
    if (this.#retry.due !== undefined) return this.#retry.due;
    const delays = this.#dueDelays();
    return delays.length === 0 ? undefined : Math.max(SHORTEST_DELAY, Math.min(...delays));
  }

  /** Delays until a write or an update of the agent is due. */
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
      // If another replica leads by now, the failure does not matter.
      if (!this.#mayPublish() || reconciler !== this.#reconciler) return;
      if (this.#options.once) throw error;
      const retryIn = this.#retry.failed(error);
      const { failures } = this.#retry;
      const { cycle } = snapshot;
      this.#options.emit({ kind: 'publish-failed', cycle, attempt: failures, error, retryIn });
    }
  }

  /** @throws the reason why the desired state cannot be published */
  async #reconcile(reconciler: Reconciler, snapshot: Snapshot, signal: AbortSignal): Promise<void> {
    const { once } = this.#options;
    const { cycle, services: found, contradicted, groups, use } = snapshot;
    this.#needsReconcile = false;
    this.#isChangedOutside = false;
    this.#isReverted = false;
    const reconciled = await reconciler
      .run({ found, contradicted, groups, use }, cycle, signal)
      .finally(() => this.#discovery.learn(reconciler.naming, reconciler.approvals, reconciler.groups));
    const followed = reconciled === undefined ? undefined : this.#follow(reconciled, cycle, signal);
    if (once) await followed;
    if (reconciled?.failure !== undefined) {
      this.#isReverted = true;
      throw reconciled.failure.error;
    }
    if (once && reconciled !== undefined) this.#checkComplete(reconciled);
    this.#retry.succeeded();
  }

  /** A job has no later attempt, and success would hide the problem. @throws UserError */
  #checkComplete({ overrideFaults, unrecorded, tools }: Reconciled): void {
    const { target } = this.#options.publisher;
    if (overrideFaults !== undefined)
      throw new FindingsError(unusableOverrides(target, overrideFaults, tools.length));
    if (unrecorded !== undefined)
      throw new IncompleteError(
        `the toolset is published, and is not in the history, so there is no rollback to it: ${unrecorded}`,
      );
  }

  /** Reads what the leader has published. */
  async #observe(signal: AbortSignal): Promise<void> {
    const { publisher, outputs, emit, generation } = this.#options;
    const { snapshot, cycle } = this.#discovery;
    // Events during the read, such as becoming the leader, need another run.
    this.#needsReconcile = false;
    try {
      const live = observe(await publisher.read(signal), outputs);
      const naming = observedNaming(live, generation.credentials, snapshot?.services ?? [], snapshot?.use);
      this.#discovery.learn(naming, observedApprovals(live), publishedGroups(live));
      emit({ kind: 'observed', live });
      this.#retry.succeeded();
    } catch (error) {
      signal.throwIfAborted();
      this.#needsReconcile = true;
      emit({ kind: 'observe-failed', cycle, error, retryIn: this.#retry.failed(error) });
    }
  }

  /** Updates the agent in the background, so that a slow agent never delays a publication. */
  async #follow(reconciled: Reconciled, cycle: number, signal: AbortSignal): Promise<void> {
    const { follower, emit } = this.#options;
    const room = follower?.room;
    try {
      const outcomes = (await follower?.follow(reconciled, signal)) ?? [];
      for (const outcome of outcomes)
        if (outcome.kind !== 'agent-failed' || this.#mayPublish()) emit({ kind: 'agent', cycle, outcome });
      if (this.#mayPublish()) this.#reportAgentState(cycle);
      // With less room, or more, there are other documents.
      const isOtherRoom = follower?.room !== room;
      if (isOtherRoom) this.#needsReconcile = true;
      // The delay until the next run may have changed while the loop waits.
      if (isOtherRoom || outcomes.length > 0) this.#trigger.fire();
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Reports whether the agent has what is published, if that changed. While a new follower does not know, the last state stands. */
  #reportAgentState(cycle: number): void {
    const { follower, emit } = this.#options;
    const state = follower?.state;
    const before = this.#agentState;
    if ((follower !== undefined && state === undefined) || isDeepStrictEqual(state, before)) return;
    this.#agentState = state;
    emit({ kind: 'agent-state', cycle, state, before });
  }
}

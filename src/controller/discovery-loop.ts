import { isDeepStrictEqual } from 'node:util';
import { type Naming, NO_NAMING } from '../detection/names.ts';
import { type Approvals, changedNamespaces, NO_APPROVALS } from '../model/approvals.ts';
import type { Candidate, DiscoveredService, Problem, Verdict } from '../model/discovery.ts';
import { displayNamespace, partsOf } from '../model/key.ts';
import { keyOfService } from '../model/service.ts';
import { runInSteps, yieldEvery } from '../model/yield-every.ts';
import { type Groups, publishedGroups } from '../planning/backend-groups.ts';
import type { Reader } from '../planning/observed.ts';
import type { Publisher } from '../publishers/publisher.ts';
import type { Change, Source } from '../sources/source.ts';
import { BackendIds, type Ids } from './backend-ids.ts';
import { BackendTracker, type Evaluation, GRACE } from './backend-tracker.ts';
import type { Use } from './company.ts';
import { DutyCycle } from './debounce.ts';
import type { EngineEvent } from './events.ts';
import { fingerprint } from './fingerprint.ts';
import { type Batch, Inputs } from './inputs.ts';
import { readLastPublished } from './last-published.ts';
import { observedApprovals, observedNaming } from './naming.ts';
import { areNamedAlike } from './naming-changes.ts';
import { PENDING } from './outcome.ts';
import { outdatedTools, Rechecks } from './outdated-tools.ts';
import type { EngineStages } from './pass.ts';
import { ProbeQueue } from './probe-queue.ts';
import { publishedEntryPoints, publishedUse } from './published-use.ts';
import { Retry } from './retry.ts';
import { aborted, pause, Trigger } from './trigger.ts';
import { UrgencyBudget } from './urgency.ts';

export interface DiscoveryOptions {
  readonly stages: EngineStages;
  /** The clusters that the source lists. Default: only the home cluster. */
  readonly clusters?: Source['clusters'] | undefined;
  readonly publisher: Publisher;
  readonly outputs: Reader;
  readonly credentials: Parameters<typeof observedNaming>[1];
  readonly emit: (event: EngineEvent) => void;
  /** The first snapshot waits for all backends, because no other one follows. */
  readonly once: boolean;
}

/** The state of all backends, as input of the reconcilers. */
export interface Snapshot {
  readonly cycle: number;
  readonly services: readonly DiscoveredService[];
  readonly ids: Ids;
  /** The Services from which ids are derived; undefined until the published ones were read. */
  readonly groups: Groups | undefined;
  /** What is in use; undefined until the published state was read. */
  readonly use: Use | undefined;
  /** Tools of backends that proved to be something else. */
  readonly contradicted: readonly string[];
  /** Equal for snapshots that give the same documents. */
  readonly fingerprint: string;
}

/** Maximum time that an evaluation blocks the event loop, in milliseconds. */
const SLICE = 10;
/** Minimum delay of a run that only time causes, in milliseconds. */
const SHORTEST_DELAY = 1_000;
/** How long the first run waits for the published state, in milliseconds. */
const LONGEST_READ = GRACE.inUse;
const FOREVER = { usual: Number.POSITIVE_INFINITY, inUse: Number.POSITIVE_INFINITY };

/**
 * Maintains a snapshot of all backends from the inputs and the results of probes. A run never waits for a probe: it uses the
 * known verdicts, and enqueues probes that are due. Each result triggers another run.
 */
export class DiscoveryLoop {
  #options: DiscoveryOptions;
  readonly #onSnapshot: (isOther: boolean, isFullResync: boolean) => void;
  readonly #inputs: Inputs;
  readonly #tracker = new BackendTracker();
  readonly #trigger = new Trigger();
  readonly #retry = new Retry();
  /** Fires for urgent reasons. */
  readonly #urgent = new Trigger();
  readonly #urgency = new UrgencyBudget();
  #probes: ProbeQueue | undefined;
  #batch: Batch | undefined;
  /** Since the last snapshot: whether the source listed everything, and the duration of detection. */
  #isFullResync = false;
  #detecting = 0;
  /** Start of the full discovery that ends once all backends that were due have been probed. */
  #fullSince: number | undefined;
  /** The cycle of the last failed run. */
  #failedCycle = 0;
  #prepared: readonly Problem[] = [];
  /** Rejects if the prober cannot be prepared. */
  #preparing: Promise<void> = Promise.resolve();
  #services: readonly DiscoveredService[] = [];
  #fingerprint = '';
  #naming: Naming = NO_NAMING;
  readonly #ids = new BackendIds();
  /** Whether the published ids were read. */
  #hasReadIds = false;
  #approvals: Approvals = NO_APPROVALS;
  /** Servers that are probed again, because an approval shows other tools. */
  readonly #rechecks = new Rechecks();
  /** End of the next grace period, by `performance.now`. */
  #recheckAt: number | undefined;
  /** The last evaluation was discarded, because its inputs were replaced meanwhile. */
  #wasOutdated = false;
  readonly #dutyCycle = new DutyCycle();
  /** The number of the current or last run. */
  cycle = 0;
  /** Undefined until the source is listed, and backends in use have a verdict or their grace period is over. */
  snapshot: Snapshot | undefined;

  /** @param onSnapshot called after each snapshot; `isOther`: the documents may change */
  constructor(options: DiscoveryOptions, onSnapshot: (isOther: boolean, isFullResync: boolean) => void) {
    this.#options = options;
    this.#onSnapshot = onSnapshot;
    this.#inputs = new Inputs(options.stages, options.clusters);
  }

  /** Resolves when no probe is running. */
  get idle(): Promise<void> {
    return this.#probes?.idle ?? Promise.resolve();
  }

  apply(change: Exclude<Change, { kind: 'failure' }>): void {
    this.#inputs.apply(change);
    if (change.kind === 'sync') this.#trigger.fire();
    else this.#fire(displayNamespace(change.kind === 'upsert' ? change.service : partsOf(change.key)));
  }

  /** Called after a change in a namespace. */
  #fire(namespace: string): void {
    this.#trigger.fire();
    if (this.#urgency.take(namespace)) this.#urgent.fire();
  }

  /** Triggers a run. */
  wake(): void {
    this.#inputs.isDirty = true;
    this.#trigger.fire();
  }

  /** Applies other options from the next `run` on. There is no snapshot until the new source has listed everything. */
  reconfigure(options: DiscoveryOptions): void {
    this.#options = options;
    this.#inputs.reconfigure(options.stages, options.clusters);
    this.snapshot = undefined;
    this.#retry.succeeded();
  }

  /** Reads the entry points in use again, because another leader may have published. There is no snapshot until then. */
  restart(): void {
    this.#tracker.forgetEntryPoints();
    this.snapshot = undefined;
    this.wake();
  }

  /**
   * Updates names, approvals and ids from the published state. Triggers a run if a backend gets another name or entry point,
   * or if an approval shows other tools than the last probe.
   */
  learn(naming: Naming | undefined, approvals: Approvals | undefined, groups?: Groups): void {
    if (groups !== undefined) this.#learnIds(groups);
    if (approvals !== undefined && changedNamespaces(this.#approvals, approvals).size > 0) {
      for (const each of outdatedTools(this.#services, this.#approvals, approvals)) {
        this.#rechecks.add(each);
        this.#options.stages.prober.invalidate(keyOfService(each.service));
      }
      this.#approvals = approvals;
      this.wake();
    }
    if (naming === undefined || naming === this.#naming) return;
    const before = this.#naming;
    this.#naming = naming;
    if (!areNamedAlike(this.#services, before, naming)) this.wake();
  }

  /** Published ids count once, at the start. Afterwards they are derived from those here. */
  #learnIds(groups: Groups): void {
    if (this.#hasReadIds) {
      this.#ids.keep(groups);
      return;
    }
    this.#hasReadIds = true;
    this.#ids.restore(groups);
    this.wake();
  }

  /** Runs until the signal is aborted. @throws only with `once` */
  async run(signal: AbortSignal): Promise<void> {
    const { once, stages } = this.#options;
    this.#probes = new ProbeQueue(stages, (namespace) => this.#fire(namespace), signal);
    while (!signal.aborted) {
      const isFired = await this.#trigger.wait(this.#delay(), signal);
      if (signal.aborted) return;
      if (!this.#inputs.isSynced || this.#retry.isWaiting) continue;
      if (isFired && !once) await this.#rest(signal);
      if (signal.aborted) return;
      await this.#runDiscovery(signal);
    }
  }

  /** Milliseconds until a run is due without any event. */
  #delay(): number | undefined {
    if (!this.#inputs.isSynced) return undefined;
    // A run that only waits for the prober is not retried.
    if (this.#retry.due !== undefined && this.#inputs.isDirty) return this.#retry.due;
    const retry = this.#options.stages.prober.nextRetry();
    const delays = [
      ...(retry === undefined ? [] : [Math.max(SHORTEST_DELAY, retry)]),
      ...(this.#recheckAt === undefined ? [] : [Math.max(0, this.#recheckAt - performance.now())]),
    ];
    return delays.length === 0 ? undefined : Math.min(...delays);
  }

  /** Waits for related events, but only briefly after an urgent one. */
  async #rest(signal: AbortSignal): Promise<void> {
    if (await this.#urgent.wait(this.#restMs(false), signal)) await pause(this.#restMs(true), signal);
  }

  /** No more events are expected after the last of several results. */
  #restMs(isUrgent: boolean): number {
    const isMoreExpected = this.#inputs.isDirty || this.#probes?.isIdle !== true;
    return this.#dutyCycle.before({ isMoreExpected, isUrgent }, performance.now());
  }

  async #runDiscovery(signal: AbortSignal): Promise<void> {
    const cycle = ++this.cycle;
    const started = performance.now();
    let workingSince = started;
    let batch: Batch | undefined;
    try {
      if (!this.#tracker.knowsEntryPoints) {
        await this.#readPublished(signal);
        workingSince = performance.now();
      }
      const { prober } = this.#options.stages;
      if (this.#batch === undefined || this.#inputs.isDirty || (prober.nextRetry() ?? 1) <= 0) {
        batch = await this.#inputs.detect(this.#approvals, this.#tracker.inUseSince);
        this.#batch = batch;
        this.#isFullResync ||= batch.isFullResync;
        if (batch.isFullResync) this.#fullSince ??= started;
        this.#detecting += batch.detecting;
      }
      signal.throwIfAborted();
      await this.#evaluate(cycle, started, batch, signal);
      if (batch !== undefined) this.#succeedOnceReady(cycle);
    } catch (error) {
      if (batch !== undefined) this.#inputs.restore(batch);
      signal.throwIfAborted();
      this.#failed(cycle, error);
    } finally {
      const now = performance.now();
      this.#dutyCycle.ended(now - workingSince, now);
    }
  }

  /** A run with a batch succeeds when the prober is ready too. Meanwhile a later run may have failed. */
  #succeedOnceReady(cycle: number): void {
    this.#preparing.then(
      () => {
        if (this.#failedCycle < cycle) this.#retry.succeeded();
      },
      () => {},
    );
  }

  #failed(cycle: number, error: unknown): void {
    if (this.#options.once) throw error;
    this.#failedCycle = cycle;
    this.#inputs.isDirty = true;
    const retryIn = this.#retry.failed(error);
    this.#options.emit({ kind: 'discovery-failed', cycle, attempt: this.#retry.failures, error, retryIn });
  }

  /** @param batch the detection of this run; without it only verdicts are new */
  async #evaluate(
    cycle: number,
    started: number,
    batch: Batch | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const options = this.#options;
    const { stages, once } = options;
    const detection = this.#batch?.detection;
    const probes = this.#probes;
    if (detection === undefined || probes === undefined) return;
    const [approvals, naming] = [this.#approvals, this.#naming];
    const known = { ...stages, detection: { ...stages.detection, approvals }, naming };
    const now = performance.now();
    const backends = this.#tracker.backends(detection, known, now);
    if (batch !== undefined) await this.#prepare(backends.entryPoints, cycle, signal);
    const recall = (entryPoint: Candidate): Verdict => probes.recall(entryPoint) ?? PENDING;
    const time = { now, changedAt: batch?.changedAt, grace: once ? FOREVER : GRACE };
    const steps = this.#tracker.evaluate(backends, known, this.#prepared, recall, time);
    // The one after an outdated evaluation does not pause, so it cannot be outdated too.
    const evaluation = await runInSteps(steps, this.#wasOutdated ? () => undefined : yieldEvery(SLICE));
    if (signal.aborted) return;
    const isOutdated =
      !this.#tracker.knowsEntryPoints ||
      this.#options !== options ||
      this.#approvals !== approvals ||
      !areNamedAlike(evaluation.result.services, naming, this.#naming);
    this.#wasOutdated = isOutdated;
    if (isOutdated) {
      if (batch !== undefined) this.#inputs.restore(batch);
      this.wake();
      return;
    }
    if (batch !== undefined) probes.retain(backends.entryPoints);
    const { recheckIn } = evaluation;
    this.#recheckAt = recheckIn === undefined ? undefined : time.now + recheckIn;
    if (this.snapshot === undefined && !evaluation.isComplete) return;
    this.#take(evaluation, cycle, started);
  }

  /** Prepares the prober. Its slow parts, such as a list of EndpointSlices, delay only the probes that need them. */
  async #prepare(entryPoints: readonly Candidate[], cycle: number, signal: AbortSignal): Promise<void> {
    const { prober } = this.#options.stages;
    const prepared = prober.prepare(entryPoints, signal).then((problems) => {
      if (isDeepStrictEqual(problems, this.#prepared)) return;
      this.#prepared = problems;
      this.#trigger.fire();
    });
    this.#preparing = prepared;
    if (this.#options.once) await prepared;
    else
      prepared.catch((error: unknown) => {
        if (!signal.aborted) this.#failed(cycle, error);
      });
  }

  #take(evaluation: Evaluation, cycle: number, started: number): void {
    const { result, changedAt } = evaluation;
    this.#tracker.commit(evaluation);
    const before = this.#services;
    const { services, contradicted, disproven, problems } = result;
    const print = fingerprint(services);
    const isOther = print !== this.#fingerprint;
    const fullSince = this.#isFullDone() ? this.#fullSince : undefined;
    if (fullSince !== undefined) this.#fullSince = undefined;
    this.#services = services;
    this.#fingerprint = print;
    const ids = this.#ids.assign(services);
    const groups = this.#hasReadIds ? this.#ids.groups : undefined;
    const use = this.#hasReadIds ? result : undefined;
    this.snapshot = { cycle, services, ids, groups, use, contradicted, fingerprint: print };
    this.#options.emit({
      kind: 'pass',
      cycle,
      full: fullSince !== undefined,
      before,
      services,
      ids,
      disproven,
      problems: [...this.#inputs.problems, ...problems],
      examined: this.#batch?.examined ?? 0,
      milliseconds: performance.now() - (fullSince ?? started),
      detecting: this.#detecting,
      changedAt: isOther ? changedAt : undefined,
    });
    // The same tools after an approval of others must be reported, although no document changes.
    const isRechecked = this.#rechecks.settle(services);
    this.#onSnapshot(isOther || isRechecked, this.#isFullResync);
    this.#isFullResync = false;
    this.#detecting = 0;
  }

  /**
   * A full discovery ends when all probes have ended, or their grace period is over. The first snapshot includes that wait.
   */
  #isFullDone(): boolean {
    const isOver = performance.now() - (this.#fullSince ?? 0) >= GRACE.inUse;
    return this.snapshot === undefined || this.#probes?.isIdle === true || isOver;
  }

  /**
   * Reads the published entry points. If that fails, none are known, and each backend uses the preferred one: other targets
   * do not wait for one that does not respond.
   */
  async #readPublished(signal: AbortSignal): Promise<void> {
    const { publisher, outputs, credentials } = this.#options;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new Error('no answer')), LONGEST_READ);
    const either = AbortSignal.any([signal, late.signal]);
    try {
      const live = await Promise.race([readLastPublished(publisher, outputs, either), aborted(either)]);
      this.#naming = observedNaming(live, credentials, []);
      this.#approvals = observedApprovals(live) ?? this.#approvals;
      this.#ids.restore(publishedGroups(live));
      this.#hasReadIds = true;
      this.#tracker.setEntryPoints(publishedUse(live), publishedEntryPoints(live));
    } catch {
      signal.throwIfAborted();
      this.#tracker.setEntryPoints(publishedUse(undefined), new Set());
    } finally {
      clearTimeout(timer);
    }
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { LiveDetection } from '../detection/live.ts';
import { assignNames, type Naming, NO_NAMING } from '../detection/names.ts';
import { type Approvals, changedNamespaces, NO_APPROVALS } from '../model/approvals.ts';
import { askedPause, type Backoff, backoff } from '../model/backoff.ts';
import { breather } from '../model/breather.ts';
import type { DiscoveredService, Problem } from '../model/discovery.ts';
import { FindingsError } from '../model/errors.ts';
import type { Agent } from '../outputs/holmesgpt/follower.ts';
import type { Change, Source } from '../sources/source.ts';
import { fingerprint } from './fingerprint.ts';
import { observedApprovals, observedNaming } from './naming.ts';
import { probeAll, type Stages, toolKinds } from './pass.ts';
import { type Reconciled, Reconciler, type ReconcilerOptions } from './reconciler.ts';
import { Settling } from './settling.ts';
import { ToolWatch } from './tool-changes.ts';
import { type Companions, type InUse, publishedWays } from './ways.ts';

export interface EngineOptions extends Omit<ReconcilerOptions, 'generation'> {
  readonly source: Source;
  readonly stages: Stages;
  readonly generation: Omit<ReconcilerOptions['generation'], 'kinds'>;
  /** Milliseconds until a pass is worth while though nothing changed: a failed backend may be back. */
  readonly nextRetry: () => number | undefined;
  /** Sees to it that the agent reads what is published, where that is wanted. */
  readonly agent: Agent | undefined;
  /** Whether this process may write now; always without. While it may not, what is there is looked at all the same. */
  readonly mayPublish?: () => boolean;
  /** End after the first pass that was published, or with the first failure. */
  readonly once: boolean;
}

/** The pauses after failures. */
const RETRY: Backoff = { first: 1_000, longest: 30_000 };
/** Shortest pause between two passes for which nothing but time is a reason, in milliseconds. */
const SHORTEST_PAUSE = 1_000;
/** Longest time that an API server may ask to wait, in milliseconds. */
const LONGEST_RETRY_AFTER = 300_000;
/** Longest time that detection keeps the event loop, in milliseconds. */
const SLICE = 20;

/**
 * The loop: keeps what the source told, and whenever something changed makes what is published follow from all of it.
 * A change only says "look again", so changes that come while a pass runs make one more pass together.
 */
export class Engine {
  #options: EngineOptions;
  /** What it shall work with from the next session on. */
  #next: EngineOptions | undefined;
  #session = new AbortController();
  #reconciler: Reconciler;
  /** Outlives reconcilers: no change of options and of the leader makes changed tools look new. */
  readonly #tools = new ToolWatch();
  #detection: LiveDetection;
  /** What was known before the options changed, until the source told all that there is. */
  #former: LiveDetection | undefined;
  readonly #settling = new Settling();
  #sourceProblems: readonly Problem[] = [];
  #found: readonly DiscoveredService[] = [];
  #contradicted: readonly string[] = [];
  #fingerprint = '';
  /** Who has which name of a tool, as of the last look at what is published. */
  #naming: Naming = NO_NAMING;
  /** What people approved, as of the same look. */
  #approvals: Approvals = NO_APPROVALS;
  #cycle = 0;
  /** The source told all that there is at least once: before that, nothing may be concluded from what is missing. */
  #synced = false;
  /** The source told something since the last look. */
  #changed = false;
  /** The Services that are in use as ways into their backends; undefined: not known since others may have published. */
  #inUse: InUse | undefined;
  /** Who was there when each of them came into use. */
  #companions: Companions = new Map();
  /** The source told all of it since the last look. */
  #full = false;
  /** What is published may be other than it shall be. */
  #behind = true;
  /** Somebody else wrote to what is published since the last reconciliation. */
  #touched = false;
  /** How often in a row what is published could not be read or written, and when to try again, by `performance.now`. */
  #failures = 0;
  #retryAt: number | undefined;
  /** The last failure was one of the new documents only: what is published was put right. */
  #repaired = false;
  #wake = Promise.withResolvers<void>();
  /** When the first Service changed since the last look, on the clock of `performance.now`. */
  #changedAt: number | undefined;
  /** Time that detection took since the last look, in milliseconds. */
  #detecting = 0;

  constructor(options: EngineOptions) {
    this.#options = options;
    const { stages } = options;
    this.#detection = new LiveDetection(stages.rules, stages.detection);
    this.#reconciler = newReconciler(options, this.#tools);
  }

  /**
   * Runs until the signal is aborted; with `once`, until the first pass is published.
   * @throws only with `once`: the first failure; or what the source throws because it can never work
   */
  async run(signal: AbortSignal): Promise<void> {
    do {
      this.#adopt();
      this.#session = new AbortController();
      await this.#work(AbortSignal.any([signal, this.#session.signal]));
    } while (this.#next !== undefined && !signal.aborted);
  }

  /**
   * Works with other options from now on. What is published stands until the new source told all that there is. What
   * was known of places that it cannot read stands as well, so a change of options loses nothing.
   */
  reconfigure(options: EngineOptions): void {
    this.#next = options;
    this.#session.abort();
  }

  #adopt(): void {
    if (this.#next === undefined) return;
    this.#options = this.#next;
    this.#next = undefined;
    const { stages } = this.#options;
    // Of several changes before the source told anything, what was known before the first one counts.
    this.#former ??= this.#detection;
    this.#detection = new LiveDetection(stages.rules, stages.detection);
    this.#reconciler = newReconciler(this.#options, this.#tools, this.#reconciler);
    this.#synced = false;
    this.#changed = true;
    this.#behind = true;
    this.#succeeded();
  }

  /** Works with the options as they are until the signal is aborted. */
  async #work(signal: AbortSignal): Promise<void> {
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
        const { error, reason, retryIn } = change;
        tell({ kind: 'source-failed', error, reason, retryIn });
        if (once) fail(change.error);
        return;
      }
      const started = performance.now();
      if (change.kind !== 'sync') this.#changedAt ??= started;
      this.#take(change);
      this.#detecting += performance.now() - started;
      this.wake();
    };
    const watching = once
      ? undefined
      : publisher.watch?.(
          () => {
            this.#behind = true;
            this.#touched = true;
            this.#wake.resolve();
          },
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

  /** The number of the pass that runs or was the last; the next one has a higher one. */
  get cycle(): number {
    return this.#cycle;
  }

  /** Looks again, soon: something that discovery depends on changed. */
  wake(): void {
    this.#changed = true;
    this.#wake.resolve();
  }

  /** It may publish from now on, and does so at once. Others may have written since, so what was remembered is dropped. */
  takeOver(): void {
    this.#reconciler = newReconciler(this.#options, this.#tools);
    this.#inUse = undefined;
    this.#companions = new Map();
    this.#behind = true;
    this.#succeeded();
    this.wake();
  }

  #mayPublish(): boolean {
    return this.#options.mayPublish?.() ?? true;
  }

  #take(change: Exclude<Change, { kind: 'failure' }>): void {
    switch (change.kind) {
      case 'upsert':
        this.#detection.put(change.service);
        return;
      case 'delete':
        this.#detection.drop(change.key);
        return;
      case 'sync':
        for (const namespace of this.#former === undefined ? [] : change.unread)
          for (const service of this.#former?.servicesIn(namespace) ?? []) this.#detection.put(service);
        this.#former = undefined;
        this.#detection.replace(change.services, new Set(change.unread));
        this.#sourceProblems = change.problems;
        this.#synced = true;
        this.#full = true;
        // The safety net: what was missed of changes to what is published is noticed now.
        this.#behind = true;
    }
  }

  async #passes(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { nextRetry } = this.#options;
      const pauses = this.#retryAt === undefined ? this.#due() : [this.#retryAt - performance.now()];
      await this.#woken(
        [nextRetry(), ...pauses].filter((pause) => pause !== undefined),
        signal,
      );
      if (signal.aborted) return;
      if (!this.#synced) continue;
      await this.#pass(signal);
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
            // A timer may fire up to a millisecond early, and what is not due yet would wait for the next turn.
            sleep(Math.ceil(Math.max(SHORTEST_PAUSE, Math.min(...pauses))) + 1, undefined, {
              signal: either,
            }).catch(() => {}),
          ];
    const woken = this.#wake.promise.then(() => true);
    const changed = await Promise.race([woken, aborted, ...timer]);
    if (changed === true && !this.#options.once)
      await sleep(this.#settling.next(performance.now()), undefined, { signal }).catch(() => {});
    over.abort();
    this.#wake = Promise.withResolvers<void>();
  }

  /** Looks what is there, unless nothing says that it is other than it was. */
  async #look(cycle: number, signal: AbortSignal): Promise<void> {
    const { stages, nextRetry, tell } = this.#options;
    if (!this.#changed && (nextRetry() ?? Number.POSITIVE_INFINITY) > 0) return;
    this.#changed = false;
    const full = this.#full;
    this.#full = false;
    const started = performance.now();
    const before = this.#found;
    const examined = this.#detection.size;
    const changedAt = this.#changedAt;
    this.#changedAt = undefined;
    const ways = this.#inUse ?? (await this.#published(signal));
    this.#detection.approve(this.#approvals);
    const detection = await this.#detection.detectInSteps(breather(SLICE));
    const detecting = this.#detecting + performance.now() - started;
    this.#detecting = 0;
    const known = {
      ...stages,
      detection: { ...stages.detection, approvals: this.#approvals },
      inUse: ways,
      companions: this.#companions,
      naming: this.#naming,
    };
    const passed = await probeAll(detection, known, signal).catch((error: unknown) => {
      this.#changed = true;
      this.#changedAt ??= changedAt;
      throw error;
    });
    const { services, contradicted, problems, inUse, companions } = passed;
    this.#found = services;
    this.#contradicted = contradicted;
    this.#inUse = inUse;
    this.#companions = companions;
    const print = fingerprint(services);
    const isOther = print !== this.#fingerprint;
    if (isOther) this.#behind = true;
    this.#fingerprint = print;
    tell({
      kind: 'pass',
      cycle,
      full,
      before,
      services,
      problems: [...this.#sourceProblems, ...problems],
      examined,
      milliseconds: performance.now() - started,
      detecting,
      changedAt: isOther ? changedAt : undefined,
    });
  }

  /** The ways that are published. Without an answer none are known, and each backend is reached by the preferred one. */
  async #published(signal: AbortSignal): Promise<InUse> {
    try {
      const live = await this.#options.publisher.read(signal);
      this.#naming = observedNaming(live, this.#options.generation.credentials, []);
      this.#approvals = observedApprovals(live) ?? this.#approvals;
      return publishedWays(live?.data['toolset.json']);
    } catch {
      signal.throwIfAborted();
      return new Set();
    }
  }

  /** Sees to the agent. It is not waited for: an agent that is slow or away never keeps a toolset from being published. */
  async #follow(reconciled: Reconciled, cycle: number, signal: AbortSignal): Promise<void> {
    const { agent, tell } = this.#options;
    try {
      const outcomes = (await agent?.follow(reconciled, signal)) ?? [];
      for (const outcome of outcomes)
        if (outcome.kind !== 'agent-failed' || this.#mayPublish()) tell({ kind: 'agent', cycle, outcome });
      // What is due next is other than it was when the loop went to sleep.
      if (outcomes.length > 0) this.#wake.resolve();
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Milliseconds until something is to be written or read by the agent though nothing changed. */
  #due(): (number | undefined)[] {
    return this.#mayPublish() ? [this.#reconciler.due, this.#options.agent?.nextDue()] : [];
  }

  /** Is it time for something though nothing changed? */
  #isDue(): boolean {
    return this.#due().some((time) => time !== undefined && time <= 0);
  }

  /** Takes over who has which name and what is approved; where that gives a backend another name or way in, a pass follows. */
  #learn(naming: Naming | undefined, approvals: Approvals | undefined): void {
    if (approvals !== undefined && changedNamespaces(this.#approvals, approvals).size > 0) {
      this.#approvals = approvals;
      this.wake();
    }
    if (naming === undefined || naming === this.#naming) return;
    const { named, placed } = this.#naming;
    this.#naming = naming;
    const { candidates } = assignNames(this.#found, naming);
    if (
      !isDeepStrictEqual({ named, placed }, { named: naming.named, placed: naming.placed }) ||
      candidates.some((candidate, index) => candidate !== this.#found[index])
    )
      this.wake();
  }

  /** Reads what the one who leads has published. */
  async #observe(cycle: number, signal: AbortSignal): Promise<void> {
    const { publisher, tell } = this.#options;
    // What happens meanwhile, such as that this process leads, is for the next pass.
    this.#behind = false;
    try {
      const live = await publisher.read(signal);
      const naming = observedNaming(live, this.#options.generation.credentials, this.#found);
      this.#learn(naming, observedApprovals(live));
      tell({ kind: 'observed', live });
      this.#succeeded();
    } catch (error) {
      signal.throwIfAborted();
      const retryIn = this.#failed(error);
      tell({ kind: 'observe-failed', cycle, error, retryIn });
    }
  }

  #succeeded(): void {
    this.#failures = 0;
    this.#retryAt = undefined;
    this.#repaired = false;
  }

  /** @returns milliseconds until the next try */
  #failed(error: unknown): number {
    this.#behind = true;
    this.#failures += 1;
    const asked = askedPause(retryAfterOf(error), LONGEST_RETRY_AFTER, Math.random);
    const retryIn = Math.max(backoff(this.#failures, RETRY, Math.random), asked);
    this.#retryAt = performance.now() + retryIn;
    return retryIn;
  }

  /**
   * Whether what is published must not be looked at yet, because that failed. What somebody else wrote is put right at
   * once all the same, where only the new documents have a fault.
   */
  #waits(): boolean {
    if (this.#retryAt === undefined || (this.#repaired && this.#touched)) return false;
    return performance.now() < this.#retryAt;
  }

  async #pass(signal: AbortSignal): Promise<void> {
    const cycle = ++this.#cycle;
    try {
      await this.#look(cycle, signal);
      if (this.#waits()) return;
      if (!this.#mayPublish()) {
        if (this.#behind) await this.#observe(cycle, signal);
        return;
      }
      if (this.#behind || this.#isDue()) await this.#reconcile(cycle, signal);
    } catch (error) {
      signal.throwIfAborted();
      const retryIn = this.#failed(error);
      // Who leads now does it, and what kept us from it is no failure.
      if (!this.#mayPublish()) return;
      if (this.#options.once) throw error;
      this.#options.tell({ kind: 'publish-failed', cycle, attempt: this.#failures, error, retryIn });
    }
  }

  /** @throws what kept what shall be published from being so */
  async #reconcile(cycle: number, signal: AbortSignal): Promise<void> {
    this.#behind = false;
    this.#touched = false;
    this.#repaired = false;
    const found = { found: this.#found, contradicted: this.#contradicted };
    const reconciled = await this.#reconciler
      .run(found, cycle, signal)
      .finally(() => this.#learn(this.#reconciler.naming, this.#reconciler.approvals));
    const followed = reconciled === undefined ? undefined : this.#follow(reconciled, cycle, signal);
    if (this.#options.once) await followed;
    if (reconciled?.failure !== undefined) {
      this.#repaired = true;
      throw reconciled.failure.error;
    }
    // Nobody writes it later, and a job that ends well is not looked at.
    if (this.#options.once && reconciled?.unrecorded !== undefined)
      throw new FindingsError(
        `the toolset is published, and is not in the history, so there is no rollback to it: ${reconciled.unrecorded}`,
      );
    this.#succeeded();
  }
}

function newReconciler(options: EngineOptions, tools: ToolWatch, before?: Reconciler): Reconciler {
  const generation = { ...options.generation, kinds: toolKinds(options.stages.rules) };
  return new Reconciler({ ...options, generation, tools }, before);
}

/** Milliseconds that the API server asked to wait; 0 where it did not. */
function retryAfterOf(error: unknown): number {
  for (let each = error, depth = 0; each instanceof Error && depth < 5; each = each.cause, depth++) {
    const { retryAfter } = each as { readonly retryAfter?: unknown };
    if (typeof retryAfter === 'number') return retryAfter;
  }
  return 0;
}

import { setTimeout as sleep } from 'node:timers/promises';
import { type GenerateOptions, generate } from '../generate/generate.ts';
import type { DiscoveredService, Problem } from '../model/discovery.ts';
import { type Documents, type Generated, OVERRIDES_KEY } from '../model/documents.ts';
import { EXIT, UserError } from '../model/exit.ts';
import { NO_OVERRIDES } from '../model/overrides.ts';
import type { Plan, Published } from '../model/published.ts';
import { type Service, type ServiceKey, serviceKey } from '../model/service.ts';
import { type DiffLine, documentDiff } from '../reconcile/changes.ts';
import { drift, massRemoval, sizeFault } from '../reconcile/guards.ts';
import { faultsLine, readOverrides } from '../reconcile/overrides.ts';
import { type Hold, plan } from '../reconcile/plan.ts';
import type { Publisher } from '../reconcile/publisher.ts';
import type { Change, Source } from '../source/source.ts';
import { discover, type Stages, toolKinds } from './pass.ts';

/** What the engine did, for those who log, count or show it. */
export type EngineEvent =
  | {
      readonly kind: 'pass';
      readonly cycle: number;
      readonly before: readonly DiscoveredService[];
      readonly services: readonly DiscoveredService[];
      readonly problems: readonly Problem[];
      /** Services that were looked at. */
      readonly examined: number;
      readonly milliseconds: number;
    }
  | { readonly kind: 'published'; readonly cycle: number; readonly plan: Plan; readonly target: string }
  /** Somebody changed generated documents; they are put right. */
  | {
      readonly kind: 'drift';
      readonly cycle: number;
      readonly keys: readonly string[];
      readonly diff: readonly DiffLine[];
    }
  /** Many tools at once became unhealthy: they stay for one more cycle. `retryIn` in milliseconds. */
  | {
      readonly kind: 'removal-held';
      readonly cycle: number;
      readonly tools: readonly string[];
      readonly retryIn: number;
    }
  | { readonly kind: 'source-failed'; readonly error: unknown; readonly retryIn: number }
  | {
      readonly kind: 'publish-failed';
      readonly cycle: number;
      readonly error: unknown;
      readonly retryIn: number;
    };

export interface EngineOptions {
  readonly source: Source;
  readonly stages: Stages;
  readonly generation: Pick<GenerateOptions, 'credentials' | 'holmesgptVersion'>;
  readonly publisher: Publisher;
  /** Milliseconds until a pass is worth while though nothing changed: a failed backend may be back. */
  readonly nextRetry: () => number | undefined;
  readonly version: string;
  readonly now: () => Date;
  readonly tell: (event: EngineEvent) => void;
  /** Remove many tools at once without holding them for a cycle. */
  readonly force: boolean;
  /** End after the first pass that was published, or with the first failure. */
  readonly once: boolean;
}

const FIRST_RETRY = 1_000;
/** Shortest pause between two passes for which nothing but time is a reason, in milliseconds. */
const SHORTEST_PAUSE = 1_000;
const LONGEST_RETRY = 30_000;
/** How long a removal of many tools at once is held, at least, in milliseconds. */
const HELD = 15_000;

/**
 * The loop: keeps what the source told, and whenever something changed makes what is published follow from all of it.
 * A change only says "look again", so changes that come while a pass runs make one more pass together.
 */
export class Engine {
  readonly #options: EngineOptions;
  readonly #services = new Map<ServiceKey, Service>();
  #sourceProblems: readonly Problem[] = [];
  #found: readonly DiscoveredService[] = [];
  #published: Documents | undefined;
  /** When tools that would go all at once were held, on the clock of `performance.now`. */
  #heldSince: number | undefined;
  #cycle = 0;
  #wake = Promise.withResolvers<void>();

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  /**
   * Runs until the signal is aborted; with `once`, until the first pass is published.
   * @throws only with `once`: the first failure; or what the source throws because it can never work
   */
  async run(signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    let failure: { readonly error: unknown } | undefined;
    const onChange = (change: Change): void => {
      if (change.kind === 'failure') {
        this.#options.tell({ kind: 'source-failed', error: change.error, retryIn: change.retryIn });
        if (!this.#options.once) return;
        failure ??= change;
        stop.abort();
        return;
      }
      this.#take(change);
      this.#wake.resolve();
    };
    const source = this.#options.source.run(onChange, both).catch((error: unknown) => {
      failure ??= { error };
      stop.abort();
    });
    try {
      await this.#passes(both);
    } catch (error) {
      if (!both.aborted) failure ??= { error };
    } finally {
      stop.abort();
      await source;
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
    const aborted = new Promise<void>((resolve) =>
      signal.addEventListener('abort', () => resolve(), { once: true }),
    );
    let failures = 0;
    let retry: number | undefined;
    while (!signal.aborted) {
      const woken = new AbortController();
      const held = this.#heldSince === undefined ? undefined : HELD - (performance.now() - this.#heldSince);
      const pauses = [retry, held, this.#options.nextRetry()].filter((pause) => pause !== undefined);
      const timer = AbortSignal.any([signal, woken.signal]);
      const pause =
        pauses.length === 0
          ? []
          : [
              sleep(Math.max(SHORTEST_PAUSE, Math.min(...pauses)), undefined, { signal: timer }).catch(
                () => {},
              ),
            ];
      await Promise.race([this.#wake.promise, aborted, ...pause]);
      woken.abort();
      if (signal.aborted) return;
      this.#wake = Promise.withResolvers<void>();
      retry = await this.#pass(signal, failures);
      failures = retry === undefined ? 0 : failures + 1;
      if (this.#options.once) return;
    }
  }

  /** Why what is published stays as it is in this pass, if it does. */
  #hold(
    live: Published | undefined,
    generated: Generated,
    faults: string | undefined,
    cycle: number,
  ): Hold | undefined {
    const documents = this.#published === undefined ? {} : { documents: this.#published };
    if (faults !== undefined) return { overrideError: faults, ...documents };
    const unhealthy = this.#found.filter(({ verdict }) => verdict.health === 'unhealthy');
    const lost = this.#options.force
      ? []
      : massRemoval(live, generated.documents, new Set(unhealthy.map(({ tool }) => tool)));
    if (lost.length === 0) {
      this.#heldSince = undefined;
      return undefined;
    }
    if (this.#heldSince !== undefined && performance.now() - this.#heldSince >= HELD) return undefined;
    if (this.#heldSince === undefined) {
      this.#heldSince = performance.now();
      this.#options.tell({ kind: 'removal-held', cycle, tools: lost, retryIn: HELD });
    }
    return documents;
  }

  /** One pass. @returns the pause before another try, in milliseconds, if publishing failed */
  async #pass(signal: AbortSignal, failures: number): Promise<number | undefined> {
    const { stages, generation, publisher, tell, now, version, once } = this.#options;
    const cycle = ++this.#cycle;
    const started = performance.now();
    const examined = this.#services.size;
    const before = this.#found;
    const told = [...this.#sourceProblems];
    let report = (): void => {};
    try {
      const { services, problems } = await discover(this.#services.values(), stages, signal);
      this.#found = services;
      told.push(...problems);
      const milliseconds = performance.now() - started;
      report = () => tell({ kind: 'pass', cycle, before, services, problems: told, examined, milliseconds });
      const live = await publisher.read(signal);
      const overrides = readOverrides(live?.data[OVERRIDES_KEY]);
      const faults = 'faults' in overrides ? faultsLine(overrides.faults) : undefined;
      const generated = generate(services, {
        ...generation,
        overrides: 'value' in overrides ? overrides.value : NO_OVERRIDES,
        kinds: toolKinds(stages.rules),
      });
      if (faults !== undefined)
        told.push({
          where: `${OVERRIDES_KEY} in ${publisher.target}`,
          what: faults,
          fix: 'the last toolset stays until they are mended',
        });
      told.push(...generated.notes);
      const drifted = drift(live, this.#published);
      if (live !== undefined && this.#published !== undefined && drifted.length > 0)
        tell({
          kind: 'drift',
          cycle,
          keys: drifted,
          diff: documentDiff(live, this.#published, 'found', 'published'),
        });
      const decided = plan(generated, live, version, this.#hold(live, generated, faults, cycle));
      const size = sizeFault(decided.documents);
      if (size !== undefined) told.push({ where: publisher.target, what: size.what, fix: size.fix });
      if (size?.refused === true)
        throw new UserError(`${size.what}, so it is left as it is; ${size.fix}`, EXIT.findings);
      await publisher.apply(decided, now(), signal);
      this.#published = decided.documents;
      report();
      if (decided.action !== 'none')
        tell({ kind: 'published', cycle, plan: decided, target: publisher.target });
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      report();
      if (once) throw error;
      const retryIn = retryPause(failures);
      tell({ kind: 'publish-failed', cycle, error, retryIn });
      return retryIn;
    }
  }
}

/** Pause before the next try when so many failed before, in milliseconds: doubled each time up to a cap, with jitter. */
function retryPause(failures: number): number {
  return Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** failures) * (0.75 + Math.random() / 4);
}

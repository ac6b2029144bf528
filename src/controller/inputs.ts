import type { Detection } from '../detection/detect.ts';
import { LiveDetection } from '../detection/live.ts';
import type { Approvals } from '../model/approvals.ts';
import type { Problem } from '../model/discovery.ts';
import { displayNamespace, HOME_CLUSTER } from '../model/key.ts';
import type { InUseSince } from '../model/seniority.ts';
import { yieldEvery } from '../model/yield-every.ts';
import type { Change } from '../sources/source.ts';
import type { Stages } from './pass.ts';

/** Maximum time that detection blocks the event loop, in milliseconds. */
const SLICE = 20;

/** The result of a detection. Times are in milliseconds. */
export interface Batch {
  readonly detection: Detection;
  /** The source listed everything since the last detection. */
  readonly isFullResync: boolean;
  /** When the first Service changed since the last detection, on the clock of `performance.now`. */
  readonly changedAt: number | undefined;
  /** Number of examined Services. */
  readonly examined: number;
  /** Duration of detection, including the changes that led to it. */
  readonly detecting: number;
}

/** The state of the source, with incremental detection. */
export class Inputs {
  #detection: LiveDetection;
  /** The state from before the options changed, until the new source has listed everything. */
  #previousDetection: LiveDetection | undefined;
  #isFullResync = false;
  #changedAt: number | undefined;
  #detecting = 0;
  /** Clusters that have not been listed completely since the options changed. */
  #unlisted: Set<string>;
  /** Notes about the source, by cluster. */
  #problems: ReadonlyMap<string, readonly Problem[]>;
  /** An input of detection changed. */
  isDirty = true;

  /** @param clusters that the source lists */
  constructor(
    { rules, detection }: Pick<Stages, 'rules' | 'detection'>,
    clusters: readonly string[] = [HOME_CLUSTER],
  ) {
    this.#detection = new LiveDetection(rules, detection);
    this.#unlisted = new Set(clusters);
    this.#problems = new Map(clusters.map((cluster) => [cluster, []]));
  }

  /** Whether every cluster was listed completely. Before that, a missing Service means nothing. */
  get isSynced(): boolean {
    return this.#unlisted.size === 0;
  }

  get problems(): readonly Problem[] {
    return [...this.#problems.values()].flat();
  }

  /** Starts again with other options. State of places that the new source cannot read is kept. */
  reconfigure(
    { rules, detection }: Pick<Stages, 'rules' | 'detection'>,
    clusters: readonly string[] = [HOME_CLUSTER],
  ): void {
    // If the options change several times before the source has listed anything, the state from before the first change is
    // kept.
    this.#previousDetection ??= this.#detection;
    this.#detection = new LiveDetection(rules, detection, this.#detection.former);
    this.#unlisted = new Set(clusters);
    this.#problems = new Map(clusters.map((cluster) => [cluster, this.#problems.get(cluster) ?? []]));
    this.isDirty = true;
  }

  apply(change: Exclude<Change, { kind: 'failure' }>): void {
    const started = performance.now();
    if (change.kind !== 'sync') this.#changedAt ??= started;
    this.#applyChange(change);
    this.isDirty = true;
    this.#detecting += performance.now() - started;
  }

  #applyChange(change: Exclude<Change, { kind: 'failure' }>): void {
    switch (change.kind) {
      case 'upsert':
        this.#detection.put(change.service);
        return;
      case 'delete':
        this.#detection.drop(change.key);
        return;
      case 'sync': {
        const { cluster = HOME_CLUSTER } = change;
        for (const namespace of this.#previousDetection === undefined ? [] : change.stale)
          for (const service of this.#previousDetection?.servicesIn(
            displayNamespace({ cluster, namespace }),
          ) ?? [])
            this.#detection.put(service);
        this.#detection.replace(change.services, new Set(change.stale), cluster);
        this.#problems = new Map([...this.#problems, [cluster, change.problems]]);
        this.#isFullResync = true;
        this.#unlisted.delete(cluster);
        if (this.isSynced) this.#previousDetection = undefined;
      }
    }
  }

  /** Runs detection. Changes that arrive meanwhile may be included, and make the inputs dirty again. */
  async detect(approvals: Approvals, inUseSince: InUseSince): Promise<Batch> {
    const started = performance.now();
    this.isDirty = false;
    const [isFullResync, changedAt] = [this.#isFullResync, this.#changedAt];
    this.#isFullResync = false;
    this.#changedAt = undefined;
    this.#detection.approve(approvals);
    this.#detection.prefer(inUseSince);
    const examined = this.#detection.size;
    const detection = await this.#detection.detectInSteps(yieldEvery(SLICE));
    const detecting = this.#detecting + performance.now() - started;
    this.#detecting = 0;
    return { detection, isFullResync, changedAt, examined, detecting };
  }

  /** Marks the inputs as dirty again after a failure to process a batch. */
  restore({ changedAt }: Batch): void {
    this.isDirty = true;
    this.#changedAt = changedAt ?? this.#changedAt;
  }
}

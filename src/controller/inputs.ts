import type { Detection } from '../detection/detect.ts';
import { LiveDetection } from '../detection/live.ts';
import type { Approvals } from '../model/approvals.ts';
import type { Problem } from '../model/discovery.ts';
import { displayNamespace, HOME_CLUSTER } from '../model/key.ts';
import { yieldEvery } from '../model/yield-every.ts';
import type { Change } from '../sources/source.ts';
import type { Stages } from './pass.ts';

/** Longest time that detection keeps the event loop, in milliseconds. */
const SLICE = 20;

/** What a detection covers. Times are in milliseconds. */
export interface Batch {
  readonly detection: Detection;
  /** The source listed everything since the detection before. */
  readonly isFullResync: boolean;
  /** When the first Service changed since the detection before, on the clock of `performance.now`. */
  readonly changedAt: number | undefined;
  /** Services that were examined. */
  readonly examined: number;
  /** Time that detection took, with the changes that led to it. */
  readonly detecting: number;
}

/** What the source reported, and what is detected in it. */
export class Inputs {
  #detection: LiveDetection;
  /** What was known before the options changed, until the new source has listed everything. */
  #previousDetection: LiveDetection | undefined;
  #isFullResync = false;
  #changedAt: number | undefined;
  #detecting = 0;
  /** Clusters that have not been listed completely since the options changed. */
  #unlisted: Set<string>;
  /** What a person should know about the source, by cluster. */
  #problems: ReadonlyMap<string, readonly Problem[]>;
  /** Something that detection depends on changed since the last one. */
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

  /** Starts again with other options. What is known of places that the new source cannot read is kept. */
  reconfigure(
    { rules, detection }: Pick<Stages, 'rules' | 'detection'>,
    clusters: readonly string[] = [HOME_CLUSTER],
  ): void {
    // Of several changes before the source listed anything, what was known before the first one counts.
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

  /** What is detected now. Changes that come meanwhile may count, and make the inputs dirty again. */
  async detect(approvals: Approvals): Promise<Batch> {
    const started = performance.now();
    this.isDirty = false;
    const [isFullResync, changedAt] = [this.#isFullResync, this.#changedAt];
    this.#isFullResync = false;
    this.#changedAt = undefined;
    this.#detection.approve(approvals);
    const examined = this.#detection.size;
    const detection = await this.#detection.detectInSteps(yieldEvery(SLICE));
    const detecting = this.#detecting + performance.now() - started;
    this.#detecting = 0;
    return { detection, isFullResync, changedAt, examined, detecting };
  }

  /** Makes the inputs dirty as they were before a batch: what follows from it failed. */
  restore({ changedAt }: Batch): void {
    this.isDirty = true;
    this.#changedAt = changedAt ?? this.#changedAt;
  }
}

import type { OwnerReference } from '../model/published.ts';
import type { GenerateOptions } from '../outputs/generate.ts';
import type { Follower } from '../outputs/output.ts';
import type { Excluded } from '../planning/removals.ts';
import type { Publication } from './publication.ts';

/**
 * One place that is kept up to date: which outputs are rendered for it and by which policy, where they are published, and
 * what makes their agents read them. A target has one history, one content hash and one reconciler.
 */
export interface Target extends Pick<Publication, 'outputs' | 'publisher'> {
  /** Limits, admission, credentials, and what each output needs to know of its agent. */
  readonly generation: Omit<GenerateOptions, 'overrides'>;
  /** How long a removal of many tools at once is held, in milliseconds. */
  readonly removalHold: number;
  /** Remove many tools at once without holding them, and take over a ConfigMap that others made. */
  readonly force: boolean;
  /** Published tools that the configuration leaves out, which are removed at once; absent: none. */
  readonly excluded?: Excluded;
  /** The owner reference of what is published, if there is one. */
  readonly owner: (signal: AbortSignal) => Promise<OwnerReference | undefined>;
  /** Reads `overrides.yaml`, if people do not write it into what is published. @throws if it cannot be read */
  readonly readOverrides?: ((signal: AbortSignal) => Promise<string | undefined>) | undefined;
  /** Makes sure that the agent reads what is published, if that is wanted. */
  readonly follower?: Follower | undefined;
}

/**
 * A target as the engine takes it. The first one of a list is the home target: its `overrides.yaml` decides on approvals
 * and ways into backends, and tools that it published keep their names.
 */
export interface EngineTarget extends Omit<Target, 'generation'> {
  /** Identifies it among all targets, in events, metrics and logs. */
  readonly id: string;
  readonly generation: Omit<Target['generation'], 'kinds'>;
}

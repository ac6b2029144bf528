import type { OwnerReference } from '../model/published.ts';
import type { GenerateOptions } from '../outputs/generate.ts';
import type { Follower } from '../outputs/output.ts';
import type { Excluded } from '../planning/removals.ts';
import type { Publication } from './publication.ts';

/**
 * A place to publish to: the outputs that are rendered for it and their policy, the publisher, and the follower that makes
 * agents load the result. A target has one history, one content hash and one reconciler.
 */
export interface Target extends Pick<Publication, 'outputs' | 'publisher'> {
  /** Limits, admission, credentials, and the settings of each output. */
  readonly generation: Omit<GenerateOptions, 'overrides'>;
  /** How long a removal of many tools at once is held, in milliseconds. */
  readonly removalHold: number;
  /** Remove many tools at once without a hold, and take over a ConfigMap of others. */
  readonly force: boolean;
  /** Published tools that the configuration excludes, which are removed at once; absent: none. */
  readonly excluded?: Excluded;
  /** The searched namespaces as text, for an annotation; absent: no annotation. */
  readonly searched?: string;
  /** The owner reference of the published object, if there is one. */
  readonly owner: (signal: AbortSignal) => Promise<OwnerReference | undefined>;
  /** Reads `overrides.yaml` if the target does not hold it. @throws if that fails */
  readonly readOverrides?: ((signal: AbortSignal) => Promise<string | undefined>) | undefined;
  /** Makes the agent load what is published, if configured. */
  readonly follower?: Follower | undefined;
}

/**
 * A target in the engine's options. The first one in a list is the home target: its `overrides.yaml` decides on approvals
 * and entry points of backends, and its published tools keep their names.
 */
export interface EngineTarget extends Omit<Target, 'generation'> {
  /** Identifies the target in events, metrics and logs. */
  readonly id: string;
  readonly generation: Omit<Target['generation'], 'kinds'>;
}

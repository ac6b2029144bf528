import type { KubeClient } from '../kubernetes/connection.ts';
import type { Publisher } from '../publishers/publisher.ts';
import type { Follower } from './output.ts';
import type { Outputs } from './outputs.ts';

/** A place that was opened. */
export interface OpenedTarget {
  readonly publisher: Publisher;
  /** Makes sure that the agent reads what is published, if that is wanted. */
  readonly follower?: Follower;
}

/**
 * An agent that does not read the ConfigMap, but a place of its own, such as a custom resource. It is kept up to date in a
 * loop of its own, with its own history and holds; `overrides.yaml` of the ConfigMap applies to it too.
 */
export interface TargetType<Settings = unknown> {
  /** Identifies it in logs, metrics (label `target`) and statistics. */
  readonly id: string;
  readonly outputs: Outputs<Settings>;
  /**
   * Opens its place; its code should be loaded here, with `import()`.
   * @param kube the cluster that is published to; `undefined` with `--out`. Writes fail while another replica leads
   * @returns nothing if the settings do not ask for it
   * @throws UserError for settings that make no sense together
   */
  open(settings: Settings, kube: KubeClient | undefined): Promise<OpenedTarget | undefined>;
}

import type { KubeClient } from '../kubernetes/connection.ts';
import { readOverrides } from '../outputs/read-overrides.ts';
import { configMapPublisher } from '../publishers/config-map/config-map-publisher.ts';
import { controllerRevisionHistory } from '../publishers/config-map/controller-revision-history.ts';
import type { ShardsOptions } from '../publishers/config-map/shards.ts';
import type { History, Publisher } from '../publishers/publisher.ts';
import type { Configuration } from './configuration.ts';

/** A ConfigMap to publish to. */
export interface Target extends Publisher {
  readonly history: History;
  /** The last known uid of the ConfigMap. */
  readonly uid: () => string | undefined;
}

const isValid = (overrides: string | undefined): boolean => 'value' in readOverrides(overrides);

/**
 * Opens the ConfigMap that the settings name, with its history.
 * @param shards how the ConfigMaps with other parts of its documents are found and taken over
 */
export function targetOf(kube: KubeClient, settings: Configuration, shards: ShardsOptions = {}): Target {
  const target = { name: settings.configMapName, namespace: settings.configMapNamespace };
  const history = controllerRevisionHistory(kube, target, settings.revisionHistoryLimit, isValid);
  return { ...configMapPublisher(kube, target, { ...shards, history }), history };
}

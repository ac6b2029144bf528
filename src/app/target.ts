import type { KubeClient } from '../kubernetes/connection.ts';
import { configMapPublisher } from '../publishers/config-map/config-map-publisher.ts';
import { controllerRevisionHistory } from '../publishers/config-map/controller-revision-history.ts';
import type { History, Publisher } from '../publishers/publisher.ts';
import type { Configuration } from './configuration.ts';

/** A ConfigMap to publish to. */
export interface Target extends Publisher {
  readonly history: History;
  /** The last known uid of the ConfigMap. */
  readonly uid: () => string | undefined;
}

/** Opens the ConfigMap that the settings name, with its history. */
export function targetOf(kube: KubeClient, settings: Configuration): Target {
  const target = { name: settings.configMapName, namespace: settings.configMapNamespace };
  const history = controllerRevisionHistory(kube, target, settings.revisionHistoryLimit);
  return { ...configMapPublisher(kube, target, history), history };
}

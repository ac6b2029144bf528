import { applyConfigMap, readConfigMap } from '../kube/config-maps.ts';
import type { Kube } from '../kube/connection.ts';
import { ApiStatusError, clusterError } from '../kube/status.ts';
import { EXIT, UserError } from '../model/exit.ts';
import { type ConfigMapName, ownedConfigMap } from './config-map.ts';
import type { Publisher } from './publisher.ts';

/** The field manager under which our fields are owned. */
const FIELD_MANAGER = 'dynamic-toolset';

/** Publishes into a ConfigMap by server-side apply. */
export function configMapPublisher(kube: Kube, target: ConfigMapName): Publisher {
  const name = `ConfigMap ${target.namespace}/${target.name}`;
  const explained = (error: unknown, doing: string): Error =>
    error instanceof ApiStatusError && error.code === 404
      ? new UserError(
          `cannot ${doing} ${name}: the namespace ${target.namespace} does not exist; create it, or choose another`,
          EXIT.cluster,
          { cause: error },
        )
      : clusterError(error, `${doing} ${name}`, kube.server);
  return {
    target: name,
    async read(signal) {
      try {
        const object = await readConfigMap(kube, target.namespace, target.name, signal);
        if (object === undefined) return undefined;
        const { labels = {}, annotations = {} } = object.metadata ?? {};
        return { data: object.data ?? {}, labels, annotations };
      } catch (error) {
        signal.throwIfAborted();
        throw explained(error, 'read');
      }
    },
    async apply(plan, now, signal) {
      if (plan.action === 'none') return;
      try {
        await applyConfigMap(kube, ownedConfigMap(target, plan, now), FIELD_MANAGER, signal);
      } catch (error) {
        signal.throwIfAborted();
        throw explained(error, 'write');
      }
    },
  };
}

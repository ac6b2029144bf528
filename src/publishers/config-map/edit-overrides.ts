import { type ConfigMap, readConfigMap, releaseFields, writeKey } from '../../kubernetes/config-maps.ts';
import type { KubeClient } from '../../kubernetes/connection.ts';
import { retryOnConflict } from '../../kubernetes/retry-on-conflict.ts';
import { clusterError, isStatus } from '../../kubernetes/status.ts';
import { OVERRIDES_KEY } from '../../model/documents.ts';
import { ClusterError, ConfigError, UserError } from '../../model/errors.ts';
import type { ConfigMapName } from './config-map.ts';

/** Who writes for a person. It gives the field up again, so that whoever applies overrides next meets no owner. */
const FIELD_MANAGER = 'dynamic-toolset-approve';

/** Attempts while others change the ConfigMap at the same time, and the pause after the first conflict, in milliseconds. */
const ATTEMPTS = 6;
const FIRST_DELAY = 40;

export interface EditResult {
  readonly before: string;
  readonly after: string;
}

/**
 * Changes `overrides.yaml` in a ConfigMap, each time from what is there, until nobody else wrote in between.
 * @param edit makes the new text of the present one
 * @param dryRun only says what would be written
 * @throws UserError where there is no such ConfigMap, or the cluster does not let us; what `edit` throws
 */
export async function editOverrides(
  kube: KubeClient,
  target: ConfigMapName,
  edit: (text: string) => string,
  dryRun: boolean,
  signal: AbortSignal,
): Promise<EditResult> {
  const where = `ConfigMap ${target.namespace}/${target.name}`;
  const named = { metadata: target };
  const once = async (): Promise<EditResult> => {
    const live = await readConfigMap(kube, target.namespace, target.name, signal);
    if (live === undefined)
      throw new ConfigError(
        `${where} does not exist; serve makes it, --configmap-namespace and --configmap-name name another, and --file edits a file`,
      );
    const before = live.data?.[OVERRIDES_KEY] ?? '';
    const after = edit(before);
    if (after === before || dryRun) return { before, after };
    const { resourceVersion } = live.metadata ?? {};
    const change = { key: OVERRIDES_KEY, text: after, resourceVersion, fieldManager: FIELD_MANAGER };
    const written = await writeKey(kube, named, change, signal);
    await release(written);
    return { before, after };
  };
  const release = async (written: ConfigMap): Promise<void> => {
    await retryOnConflict(async (conflicts) => {
      const live =
        conflicts === 0 ? written : await readConfigMap(kube, target.namespace, target.name, signal);
      if (live !== undefined) await releaseFields(kube, named, live, FIELD_MANAGER, signal);
    }, signal);
  };
  try {
    return await retryOnConflict(once, signal, { attempts: ATTEMPTS, first: FIRST_DELAY });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof UserError) throw error;
    if (!isStatus(error, 409)) throw clusterError(error, `change ${OVERRIDES_KEY} in ${where}`, kube.server);
    throw new ClusterError(
      `${where} was changed by others in each of ${ATTEMPTS} tries to write it; try again, or find out who writes it all the time`,
      { cause: error },
    );
  }
}

import { type ConfigMap, readConfigMap, releaseFields, writeKeys } from '../../kubernetes/config-maps.ts';
import type { KubeClient } from '../../kubernetes/connection.ts';
import { retryOnConflict } from '../../kubernetes/retry-on-conflict.ts';
import { clusterError, isStatus } from '../../kubernetes/status.ts';
import { OVERRIDES_KEY } from '../../model/documents.ts';
import { ClusterError, ConfigError } from '../../model/errors.ts';
import { ownerElsewhere } from '../../planning/refusal.ts';
import { type ConfigMapName, dataOf } from './config-map.ts';

/**
 * The field manager of such edits. It releases the field afterwards, so that the next client that applies overrides meets no
 * conflict.
 */
const FIELD_MANAGER = 'dynamic-toolset-approve';

/** Maximum number of attempts when writes conflict, and the delay after the first conflict, in milliseconds. */
const ATTEMPTS = 6;
const FIRST_DELAY = 40;

export interface EditResult {
  readonly before: string;
  readonly after: string;
}

/**
 * Edits `overrides.yaml` in a ConfigMap, and repeats that after a conflict with the current text.
 * @param edit returns the new text for the current one
 * @param dryRun writes nothing
 * @throws UserError if the ConfigMap does not exist or the cluster refuses; any error of `edit`
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
        `${where} does not exist; serve creates it, --configmap-namespace and --configmap-name choose another, and --file edits a file`,
      );
    const before = dataOf(live)[OVERRIDES_KEY] ?? '';
    const after = edit(before);
    if (live.immutable === true && after !== before)
      throw new ConfigError(
        `${where} is immutable, so nothing in it can be changed; delete it, or choose another with --configmap-name`,
      );
    const { labels = {}, managedFields = [] } = live.metadata ?? {};
    const managers = managedFields.flatMap(({ manager }) => manager ?? []);
    const other = after === before ? undefined : ownerElsewhere({ labels, managers });
    if (other !== undefined)
      throw new ConfigError(
        `${where} is left as it is, because serve publishes nothing to it: ${other}; choose another with --configmap-name, or let serve take it over with --force`,
      );
    if (after === before || dryRun) return { before, after };
    const { resourceVersion } = live.metadata ?? {};
    const object = { metadata: { ...target, resourceVersion }, data: { [OVERRIDES_KEY]: after } };
    const written = await writeKeys(kube, object, [OVERRIDES_KEY], FIELD_MANAGER, signal);
    await release(written);
    return { before, after };
  };
  const release = async (written: ConfigMap): Promise<void> => {
    try {
      await retryOnConflict(async (conflicts) => {
        const live =
          conflicts === 0 ? written : await readConfigMap(kube, target.namespace, target.name, signal);
        if (live !== undefined) await releaseFields(kube, named, live, FIELD_MANAGER, signal);
      }, signal);
    } catch (error) {
      // The text is written. The next edit releases the field.
      if (!isStatus(error, 409)) throw error;
    }
  };
  try {
    return await retryOnConflict(once, signal, { attempts: ATTEMPTS, first: FIRST_DELAY });
  } catch (error) {
    signal.throwIfAborted();
    if (!isStatus(error, 409)) throw clusterError(error, `change ${OVERRIDES_KEY} in ${where}`, kube.server);
    throw new ClusterError(
      `${where} was changed by others in each of ${ATTEMPTS} attempts to write it; try again, or find out who keeps writing it`,
      { cause: error },
    );
  }
}

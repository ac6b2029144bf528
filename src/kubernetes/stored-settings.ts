import { textsOf } from '../model/binary-text.ts';
import { type ConfigMap, configMapsPath, readConfigMap } from './config-maps.ts';
import type { KubeClient } from './connection.ts';
import { runInformer } from './informer.ts';
import { clusterError, isDenied } from './status.ts';

/** The texts of a ConfigMap, those in `binaryData` as `textOfBinary` reads them. */
export type ConfigData = Readonly<Record<string, string>>;

/** The data of a ConfigMap, or why it could not be read. Earlier data stays valid after a failure. */
export type ConfigDataEvent =
  | { readonly kind: 'data'; readonly data: ConfigData }
  /** The ConfigMap does not exist. */
  | { readonly kind: 'absent' }
  /** `error` says what to grant. */
  | { readonly kind: 'denied'; readonly error: Error }
  /** The next attempt is in `retryIn` milliseconds. */
  | { readonly kind: 'failure'; readonly error: Error; readonly retryIn: number };

function explained(error: unknown, doing: string, name: string, kube: KubeClient): Error {
  return clusterError(error, `${doing} ConfigMap ${name}`, kube.server);
}

/** Reads the data of a ConfigMap once. @throws only when the signal is aborted */
export async function readConfigData(
  kube: KubeClient,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<ConfigDataEvent> {
  try {
    const found = await readConfigMap(kube, namespace, name, signal);
    return found === undefined ? { kind: 'absent' } : { kind: 'data', data: textsOf(found) };
  } catch (error) {
    signal.throwIfAborted();
    const what = explained(error, 'read', `${namespace}/${name}`, kube);
    return isDenied(error) ? { kind: 'denied', error: what } : { kind: 'failure', error: what, retryIn: 0 };
  }
}

/** Watches the data of a ConfigMap, whether it exists or not, until the signal is aborted. */
export function watchConfigData(
  kube: KubeClient,
  namespace: string,
  name: string,
  emit: (event: ConfigDataEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  return runInformer(
    kube,
    {
      path: configMapsPath(namespace),
      fieldSelector: `metadata.name=${name}`,
      select: (object) => textsOf(object as ConfigMap),
    },
    (change) => {
      switch (change.kind) {
        case 'synced': {
          const [data] = change.items.values();
          emit(data === undefined ? { kind: 'absent' } : { kind: 'data', data });
          return;
        }
        case 'upsert':
          emit({ kind: 'data', data: change.item });
          return;
        case 'delete':
          emit({ kind: 'absent' });
          return;
        case 'failure': {
          const error = explained(change.error, change.doing, `${namespace}/${name}`, kube);
          if (isDenied(change.error)) emit({ kind: 'denied', error });
          else emit({ kind: 'failure', error, retryIn: change.retryIn });
        }
      }
    },
    signal,
  );
}

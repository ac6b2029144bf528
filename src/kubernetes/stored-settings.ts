import { type ConfigMap, configMapsPath, readConfigMap } from './config-maps.ts';
import type { Kube } from './connection.ts';
import { follow } from './reflector.ts';
import { clusterError, isDenied } from './status.ts';

/** Texts by key, as a ConfigMap holds them; empty where it does not exist. */
export type ConfigData = Readonly<Record<string, string>>;

/** What is known of a ConfigMap's data. */
export type ToldData =
  | { readonly kind: 'data'; readonly data: ConfigData }
  /** It may not be read; `error` says what to grant. What was known stands. */
  | { readonly kind: 'denied'; readonly error: Error }
  /** What was known stands; the next try is in `retryIn` milliseconds. */
  | { readonly kind: 'failure'; readonly error: Error; readonly retryIn: number };

function explained(error: unknown, doing: string, name: string, kube: Kube): Error {
  return clusterError(error, `${doing} ConfigMap ${name}`, kube.server);
}

/** Reads the data of a ConfigMap once. @throws only when the signal is aborted */
export async function readData(
  kube: Kube,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<ToldData> {
  try {
    return { kind: 'data', data: (await readConfigMap(kube, namespace, name, signal))?.data ?? {} };
  } catch (error) {
    signal.throwIfAborted();
    const what = explained(error, 'read', `${namespace}/${name}`, kube);
    return isDenied(error) ? { kind: 'denied', error: what } : { kind: 'failure', error: what, retryIn: 0 };
  }
}

/** Follows the data of a ConfigMap, whether it exists or not, until the signal is aborted. */
export function followData(
  kube: Kube,
  namespace: string,
  name: string,
  told: (told: ToldData) => void,
  signal: AbortSignal,
): Promise<void> {
  return follow(
    kube,
    {
      path: configMapsPath(namespace),
      fieldSelector: `metadata.name=${name}`,
      select: (object) => (object as ConfigMap).data ?? {},
    },
    (change) => {
      switch (change.kind) {
        case 'synced':
          told({ kind: 'data', data: change.items.values().next().value ?? {} });
          return;
        case 'upsert':
          told({ kind: 'data', data: change.item });
          return;
        case 'delete':
          told({ kind: 'data', data: {} });
          return;
        case 'failure': {
          const error = explained(change.error, change.doing, `${namespace}/${name}`, kube);
          if (isDenied(change.error)) told({ kind: 'denied', error });
          else told({ kind: 'failure', error, retryIn: change.retryIn });
        }
      }
    },
    signal,
  );
}

import {
  applyConfigMap,
  type ConfigMap,
  configMapsPath,
  readConfigMap,
  releaseFields,
  removeAnnotations,
  writeKeys,
} from '../../kubernetes/config-maps.ts';
import type { KubeClient } from '../../kubernetes/connection.ts';
import { runInformer } from '../../kubernetes/informer.ts';
import { ApiStatusError, clusterError, isStatus } from '../../kubernetes/status.ts';
import { OVERRIDES_KEY } from '../../model/documents.ts';
import { ClusterError } from '../../model/errors.ts';
import type { Plan, Published } from '../../model/published.ts';
import { FIELD_MANAGER, RESTORING_MANAGER, SHARDS, staleAnnotations } from '../../planning/plan.ts';
import { type History, OwnerRefused, PublishConflict, type Publisher } from '../publisher.ts';
import {
  type ConfigMapName,
  dataOf,
  isOwnerRefused,
  type ObjectState,
  type OwnedConfigMap,
  ownedConfigMap,
  ownOwners,
  restoredConfigMap,
  stateOf,
  withState,
} from './config-map.ts';
import { ConfigMapShards, type ShardsOptions, type ShardWrite } from './shards.ts';

/** Whether the ConfigMap is no longer in the state of the plan. */
function isConflict(error: unknown, action: Plan['action']): boolean {
  if (!(error instanceof ApiStatusError)) return false;
  if (error.code === 409) return true;
  // It was deleted meanwhile, perhaps just after we created it. A missing namespace is another error.
  return error.code === 404 && (action === 'update' || error.message.startsWith('configmaps "'));
}

/** @param shards the other ConfigMaps */
function publishedOf(live: ConfigMap, shards: Pick<ConfigMapShards, 'documents' | 'binary'>): Published {
  const { metadata = {}, binaryData = {}, immutable = false } = live;
  const {
    labels = {},
    annotations = {},
    resourceVersion,
    managedFields = [],
    ownerReferences = [],
  } = metadata;
  const own = ownOwners(metadata, FIELD_MANAGER);
  const ownOwner = ownerReferences.find(({ uid }) => own.includes(uid));
  return {
    data: { ...dataOf(live), ...shards.documents },
    binary: [...Object.keys(binaryData), ...shards.binary],
    labels,
    annotations,
    ...(resourceVersion === undefined ? {} : { version: resourceVersion }),
    immutable,
    managers: managedFields.flatMap(({ manager }) => manager ?? []),
    owners: ownerReferences,
    ...(ownOwner === undefined ? {} : { ownOwner }),
  };
}

export interface ConfigMapPublisherOptions extends ShardsOptions {
  readonly history?: History;
}

/**
 * Publishes to a ConfigMap by server-side apply, with a field manager of its own.
 *
 * An existing ConfigMap is changed only in the state of the plan. A new one is created without taking over fields of another
 * client that is quicker. The request that creates a ConfigMap again restores its overrides, so readers never see it without
 * them. Afterwards the field is released, so that the next client that applies overrides meets no conflict.
 *
 * Divided documents have further shards in other ConfigMaps. A tool that moves to another shard is written there before it is
 * removed here: shards that grow the most are written first, and removals come last.
 *
 * A generated key that others put into `binaryData` is removed there by the request that writes it to `data`.
 *
 * `uid` is the last observed identity of the object.
 */
export function configMapPublisher(
  kube: KubeClient,
  target: ConfigMapName,
  { history, ...shardsOptions }: ConfigMapPublisherOptions = {},
): Publisher & { readonly uid: () => string | undefined } {
  const name = `ConfigMap ${target.namespace}/${target.name}`;
  const explained = (error: unknown, doing: string): Error => {
    if (isStatus(error, 404))
      return new ClusterError(
        `cannot ${doing} ${name}: the namespace ${target.namespace} does not exist; create it, or choose another`,
        { cause: error },
      );
    return clusterError(error, `${doing} ${name}`, kube.server);
  };
  const shards = new ConfigMapShards(kube, target, shardsOptions);
  /** The last version that was read or written, so that our own changes are not reported. */
  let lastVersion: string | undefined;
  let uid: string | undefined;
  /** The keys in `binaryData` of the last state that was read or written. */
  let binary: readonly string[] = [];
  /** Size of our documents in the main ConfigMap, in bytes. */
  let size = 0;
  const remember = (live: ConfigMap | undefined): void => {
    lastVersion = live?.metadata?.resourceVersion;
    uid = live?.metadata?.uid ?? uid;
    binary = Object.keys(live?.binaryData ?? {});
    size = Object.entries(live?.data ?? {})
      .filter(([key]) => key !== OVERRIDES_KEY)
      .reduce((sum, [, text]) => sum + Buffer.byteLength(text), 0);
  };
  const applyMain = async (plan: Plan, object: OwnedConfigMap, signal: AbortSignal): Promise<ConfigMap> => {
    let basis: ObjectState | undefined =
      plan.basis === undefined || uid === undefined ? undefined : { resourceVersion: plan.basis, uid };
    if (plan.restore !== undefined) {
      const whole = restoredConfigMap(object, plan.restore);
      const restored = await applyConfigMap(
        kube,
        whole,
        { fieldManager: RESTORING_MANAGER, force: false },
        signal,
      );
      basis = stateOf(restored);
    }
    const moved = binary.filter((key) => Object.hasOwn(object.data, key));
    if (basis !== undefined && moved.length > 0)
      basis = stateOf(await writeKeys(kube, withState(object, basis), moved, RESTORING_MANAGER, signal));
    const applyOptions = { fieldManager: FIELD_MANAGER, force: basis !== undefined };
    let live = await applyConfigMap(kube, withState(object, basis), applyOptions, signal);
    live = await releaseFields(kube, object, live, RESTORING_MANAGER, signal);
    const stale = staleAnnotations(live.metadata?.annotations, plan.annotations);
    if (stale.length > 0) live = await removeAnnotations(kube, object, stale, signal);
    return live;
  };
  const applyPlan = async (plan: Plan, now: Date, signal: AbortSignal): Promise<Published> => {
    const object = ownedConfigMap(target, plan, now);
    const { changed, removed } = await shards.writes(plan, now, signal);
    const documents = Object.values(object.data);
    let live: ConfigMap = {};
    const main: ShardWrite = {
      growth: documents.reduce((sum, text) => sum + Buffer.byteLength(text), 0) - size,
      run: async () => {
        live = await applyMain(plan, object, signal);
        remember(live);
      },
    };
    const writes = [...changed, main].sort((a, b) => b.growth - a.growth);
    for (const write of [...writes, ...removed]) await write.run();
    return publishedOf(live, shards);
  };
  return {
    target: name,
    uid: () => uid,
    ...(history === undefined ? {} : { history }),
    async read(signal) {
      try {
        const object = await readConfigMap(kube, target.namespace, target.name, signal);
        remember(object);
        await shards.read(Number(object?.metadata?.annotations?.[SHARDS]) || 1, signal);
        if (object === undefined) return undefined;
        return { ...publishedOf(object, shards), unread: shards.unread };
      } catch (error) {
        signal.throwIfAborted();
        throw explained(error, 'read');
      }
    },
    async apply(plan, now, signal) {
      if (plan.action === 'none') return undefined;
      try {
        return await applyPlan(plan, now, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (plan.owner !== undefined && isOwnerRefused(error))
          throw new OwnerRefused(
            `${name} gets no owner reference: ${(error as Error).message}; grant "delete" on it, or leave out POD_NAME`,
            { cause: error },
          );
        if (!isConflict(error, plan.action)) throw explained(error, 'write');
        throw new PublishConflict(
          `another client wrote ${name} at the same time: ${(error as Error).message}; the write is retried`,
          { cause: error },
        );
      }
    },
    async checkShards(documents, signal) {
      try {
        return await shards.check(documents, signal);
      } catch (error) {
        signal.throwIfAborted();
        throw explained(error, 'read the other parts of');
      }
    },
    async isUsable({ most }, signal) {
      try {
        return await shards.isUsable(most + 1, signal);
      } catch (error) {
        signal.throwIfAborted();
        throw explained(error, 'read the other parts of');
      }
    },
    async watch(changed, failed, signal) {
      let failing = false;
      const watchingShards = shards.watch(
        changed,
        (error, doing) => failed(explained(error, `${doing} the other parts of`)),
        signal,
      );
      await runInformer(
        kube,
        {
          path: configMapsPath(target.namespace),
          fieldSelector: `metadata.name=${target.name}`,
          select: ({ metadata }) => (metadata as { resourceVersion?: string } | undefined)?.resourceVersion,
        },
        (event) => {
          if (event.kind === 'failure') {
            if (!failing) failed(explained(event.error, event.doing));
            failing = true;
            return;
          }
          failing = false;
          if (event.kind === 'recovered') return;
          const [version] = event.kind === 'synced' ? event.items.values() : [event.item];
          if (event.kind === 'delete' || version !== lastVersion) changed();
        },
        signal,
      );
      await watchingShards;
    },
  };
}

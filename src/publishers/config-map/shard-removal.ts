import { type ConfigMap, deleteConfigMap, mergeConfigMap } from '../../kubernetes/config-maps.ts';
import type { KubeClient } from '../../kubernetes/connection.ts';
import { isStatus } from '../../kubernetes/status.ts';
import type { Plan } from '../../model/published.ts';
import { LAST_UPDATED } from '../../planning/plan.ts';
import {
  type ConfigMapName,
  foreignKeys,
  formerShard,
  keptLine,
  ownOwners,
  SHARD_MANAGER,
  shardTarget,
  stateOf,
} from './config-map.ts';
import type { KnownShards } from './known-shards.ts';

export interface RemovalOptions {
  readonly kube: KubeClient;
  /** The main ConfigMap. */
  readonly target: ConfigMapName;
  /** Is updated with each removal. */
  readonly known: KnownShards;
  /** Called with one line when a ConfigMap is no longer needed and is kept, because others wrote into it. */
  readonly onKept: (line: string) => void;
  /** Called with one line when a ConfigMap is no longer needed and may not be deleted. */
  readonly onDenied: (line: string) => void;
}

/** The error of a request that was denied; `undefined` if it succeeded. Any other error is thrown. */
const forbidden = (request: Promise<void>): Promise<Error | undefined> =>
  request.then(
    () => undefined,
    (error: unknown) => {
      if (isStatus(error, 403)) return error;
      throw error;
    },
  );

/** Removes shards that are no longer needed. */
export class ShardRemoval {
  readonly #options: RemovalOptions;
  /** Shards that are no longer needed, and may be neither deleted nor changed. */
  readonly #left = new Set<number>();

  constructor(options: RemovalOptions) {
    this.#options = options;
  }

  /** Whether a shard keeps outdated documents, because it may be neither deleted nor changed. */
  isLeft(shard: number): boolean {
    return this.#left.has(shard);
  }

  /** A shard is needed again. */
  cancel(shard: number): void {
    this.#left.delete(shard);
  }

  /**
   * Deletes a shard that is no longer needed. If others wrote into it, or if it may not be deleted, only our part is
   * removed. One that may not be changed either is left, so that the other documents are published nevertheless.
   */
  async drop(shard: number, object: ConfigMap, plan: Plan, signal: AbortSignal): Promise<void> {
    const { target, onKept, onDenied } = this.#options;
    const { namespace, name } = shardTarget(target, shard);
    const where = `ConfigMap ${namespace}/${name}`;
    const command = `run: kubectl -n ${namespace} delete configmap ${name}`;
    const keys = foreignKeys(object, plan);
    const denied = keys.length > 0 ? undefined : await forbidden(this.delete(shard, object, signal));
    if (keys.length === 0 && denied === undefined) return;
    const fault = await forbidden(this.#release(shard, object, keys, signal));
    if (fault === undefined) {
      if (denied === undefined) onKept(keptLine(where, keys));
      else
        onDenied(
          `${where} has no part of the toolset any more, and may not be deleted: ${denied.message}; grant delete on it, or ${command}`,
        );
    } else if (!this.#left.has(shard)) {
      this.#left.add(shard);
      onDenied(
        `${where} is not needed any more and keeps outdated tools, because it may not be changed: ${fault.message}; grant patch and delete on it, or ${command}`,
      );
    }
  }

  /** Deletes a shard. @throws as `deleteConfigMap` */
  async delete(shard: number, object: ConfigMap, signal: AbortSignal): Promise<void> {
    const { kube, target, known } = this.#options;
    await deleteConfigMap(kube, shardTarget(target, shard), stateOf(object), signal);
    this.#left.delete(shard);
    known.delete(shard);
  }

  /** Removes our fields from a ConfigMap and keeps those of others. The data of an immutable one stays. @param keys of others */
  async #release(
    shard: number,
    object: ConfigMap,
    keys: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    const { kube, target, known } = this.#options;
    const { labels, annotations } = formerShard(target, shard);
    const { metadata = {}, data = {}, immutable } = object;
    const removed = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, null]));
    const ours = ownOwners(metadata, SHARD_MANAGER);
    const patch = {
      metadata: {
        ...stateOf(object),
        labels: removed(Object.keys(labels).filter((key) => metadata.labels?.[key] === labels[key])),
        annotations: { ...removed([LAST_UPDATED]), ...annotations },
        // Otherwise the ConfigMap would be deleted with our Deployment.
        ownerReferences: (metadata.ownerReferences ?? []).filter(({ uid }) => !ours.includes(uid)),
      },
      ...(immutable === true
        ? {}
        : { data: removed(Object.keys(data).filter((key) => !keys.includes(key))) }),
    };
    known.put(shard, await mergeConfigMap(kube, shardTarget(target, shard), patch, SHARD_MANAGER, signal));
    this.#left.delete(shard);
  }
}

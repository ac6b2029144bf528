import { createHash } from 'node:crypto';
import type { ConfigMap } from '../../kubernetes/config-maps.ts';
import { type ApiStatusError, isStatus } from '../../kubernetes/status.ts';
import { binaryIn, textOfBinary } from '../../model/binary-text.ts';
import { byShard, type Documents, OVERRIDES_KEY, shardOf } from '../../model/documents.ts';
import type { OwnerReference, Plan } from '../../model/published.ts';
import { FORMER_SHARD, LAST_UPDATED, SHARD_LABEL } from '../../planning/plan.ts';

/** Name and namespace of a ConfigMap. */
export interface ConfigMapName {
  readonly namespace: string;
  readonly name: string;
}

/** The field manager of the fields of shards. No other ConfigMap has it. */
export const SHARD_MANAGER = 'dynamic-toolset-shard';

/** Maximum length of the value of a label. */
const LONGEST_LABEL = 63;

/** The value of a label that names a ConfigMap. A longer name is truncated, and gets a hash. */
export function nameLabel(name: string): string {
  if (name.length <= LONGEST_LABEL) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 12);
  return `${name.slice(0, 40)}-${digest}`.replace(/\.-/, '-');
}

/** One state of one object. */
export interface ObjectState {
  readonly resourceVersion: string;
  readonly uid: string;
}

/** The fields of a `v1.ConfigMap` that are ours. */
export interface OwnedConfigMap {
  readonly apiVersion: 'v1';
  readonly kind: 'ConfigMap';
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly OwnerReference[];
    /** Apply only to this state of the object. */
    readonly resourceVersion?: string;
    readonly uid?: string;
  };
  readonly data: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}

/** The state of an object, if both parts of it are known. */
export function stateOf({ metadata = {} }: ConfigMap = {}): ObjectState | undefined {
  const { resourceVersion, uid } = metadata;
  return resourceVersion === undefined || uid === undefined ? undefined : { resourceVersion, uid };
}

/**
 * Whether the API server refused an owner reference. With OwnerReferencesPermissionEnforcement, setting the owner of an
 * existing object requires the permission to delete it.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
 */
export function isOwnerRefused(error: unknown): error is ApiStatusError {
  return isStatus(error, 403) && /ownerRef/i.test(error.message);
}

/**
 * The uids of the owner references that a field manager set.
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
export function ownOwners(
  { managedFields = [] }: NonNullable<ConfigMap['metadata']>,
  owner: string,
): readonly string[] {
  return managedFields
    .filter(({ manager }) => manager === owner)
    .flatMap(({ fieldsV1 }) => {
      const metadata = fieldsV1?.['f:metadata'] as Readonly<Record<string, object>> | undefined;
      return Object.keys(metadata?.['f:ownerReferences'] ?? {});
    })
    .filter((key) => key.startsWith('k:'))
    .map((key) => (JSON.parse(key.slice(2)) as { readonly uid: string }).uid);
}

const timeOf = (now: Date | undefined): Record<string, string> =>
  now === undefined ? {} : { [LAST_UPDATED]: now.toISOString().replace(/\.\d+Z$/, 'Z') };

/**
 * The main ConfigMap of a plan: all fields that we own, and no others.
 * @param now the time of the change; without it the object depends on the plan alone
 */
export function ownedConfigMap(
  { name, namespace }: ConfigMapName,
  plan: Plan,
  now: Date | undefined,
): OwnedConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name,
      namespace,
      labels: plan.labels,
      annotations: {
        ...plan.annotations,
        ...timeOf(now),
      },
      ...(plan.owner === undefined ? {} : { ownerReferences: [plan.owner] }),
    },
    data: { ...byShard(plan.documents).get(1) },
  };
}

/** The same, with the overrides of a ConfigMap that was deleted. Those that are not UTF-8 go to where they were. */
export function restoredConfigMap(object: OwnedConfigMap, overrides: string): OwnedConfigMap {
  const bytes = binaryIn(overrides);
  if (bytes !== undefined) return { ...object, binaryData: { [OVERRIDES_KEY]: bytes } };
  return { ...object, data: { ...object.data, [OVERRIDES_KEY]: overrides } };
}

/** The data of a ConfigMap. `overrides.yaml` counts wherever it is, because kubectl writes a file that is not UTF-8 to `binaryData`. */
export function dataOf({
  data = {},
  binaryData = {},
}: Pick<ConfigMap, 'data' | 'binaryData'>): Readonly<Record<string, string>> {
  const bytes = binaryData[OVERRIDES_KEY];
  return bytes === undefined ? data : { [OVERRIDES_KEY]: textOfBinary(bytes), ...data };
}

/**
 * The same, for one state of the ConfigMap only. A resource version alone is not enough: if no object has the name,
 * server-side apply ignores the version and creates one. With a uid it fails with 409.
 */
export function withState(object: OwnedConfigMap, state: ObjectState | undefined): OwnedConfigMap {
  return { ...object, metadata: { ...object.metadata, ...state } };
}

/** Name of the ConfigMap for a shard. */
export const shardTarget = ({ namespace, name }: ConfigMapName, shard: number): ConfigMapName => ({
  namespace,
  name: shard === 1 ? name : `${name}-${shard}`,
});

/** The labels that mark an object as a shard of a ConfigMap. */
const shardLabels = ({ name }: ConfigMapName, shard: number): Record<string, string> => ({
  'app.kubernetes.io/name': 'dynamic-toolset',
  'app.kubernetes.io/component': 'toolset-config',
  'app.kubernetes.io/managed-by': 'dynamic-toolset',
  'kubernaut.io/configmap': nameLabel(name),
  [SHARD_LABEL]: String(shard),
});

/** Whether a ConfigMap has the labels of a shard. */
export const isIntactShard = (target: ConfigMapName, shard: number, { metadata }: ConfigMap): boolean =>
  Object.entries(shardLabels(target, shard)).every(([key, value]) => metadata?.labels?.[key] === value);

/** Whether a ConfigMap was a shard, has only keys of others, and may become a shard again. */
export const isFormerShard = (
  target: ConfigMapName,
  shard: number,
  { metadata }: Pick<ConfigMap, 'metadata'>,
): boolean =>
  metadata?.annotations?.[FORMER_SHARD] === shardTarget(target, shard).name &&
  metadata.labels?.[SHARD_LABEL] === undefined &&
  metadata.labels?.['app.kubernetes.io/managed-by'] !== 'dynamic-toolset';

/**
 * Whether a ConfigMap with the name of a shard is or was one: by its labels, by our annotation or, if others changed those,
 * by the field manager. The main ConfigMap of another toolset may have such a name too.
 */
export const isOurShard = (target: ConfigMapName, shard: number, object: ConfigMap): boolean =>
  isIntactShard(target, shard, object) ||
  isFormerShard(target, shard, object) ||
  object.metadata?.managedFields?.some(({ manager }) => manager === SHARD_MANAGER) === true;

/** The ConfigMap for one shard. @param documents by their own names */
export const shardConfigMap = (
  target: ConfigMapName,
  shard: number,
  documents: Documents,
  { owner }: Pick<Plan, 'owner'>,
  now: Date | undefined,
): OwnedConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    ...shardTarget(target, shard),
    labels: shardLabels(target, shard),
    annotations: timeOf(now),
    ...(owner === undefined ? {} : { ownerReferences: [owner] }),
  },
  data: { ...documents },
});

/** The keys of a shard that are not in a plan's documents. */
export function foreignKeys(
  { data = {}, binaryData = {} }: Pick<ConfigMap, 'data' | 'binaryData'>,
  { documents }: Pick<Plan, 'documents'>,
): readonly string[] {
  const ours = new Set(Object.keys(documents).map((name) => shardOf(name).document));
  return [...Object.keys(data), ...Object.keys(binaryData)].filter((key) => !ours.has(key));
}

/** The labels that a former shard loses, and the annotation that it gets. */
export const formerShard = (
  target: ConfigMapName,
  shard: number,
): { readonly labels: Readonly<Record<string, string>>; readonly annotations: Record<string, string> } => ({
  labels: shardLabels(target, shard),
  annotations: { [FORMER_SHARD]: shardTarget(target, shard).name },
});

/** The first keys of others, and the number of the rest. */
export const keysInShort = (keys: readonly string[]): string =>
  `${keys.slice(0, 5).join(', ')}${keys.length > 5 ? ` and ${keys.length - 5} more keys` : ''}`;

/** The line about a shard that is kept because of others' keys. */
export const keptLine = (where: string, keys: readonly string[]): string =>
  `${where} has no part of the toolset any more; it is kept, because others wrote ${keysInShort(keys)} into it`;

/** All ConfigMaps of a plan, the main one first. */
export const ownedConfigMaps = (target: ConfigMapName, plan: Plan, now: Date | undefined): OwnedConfigMap[] =>
  [...byShard(plan.documents)].map(([shard, documents]) =>
    shard === 1 ? ownedConfigMap(target, plan, now) : shardConfigMap(target, shard, documents, plan, now),
  );

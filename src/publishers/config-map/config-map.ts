import { OVERRIDES_KEY } from '../../model/documents.ts';
import type { OwnerReference, Plan } from '../../model/published.ts';
import { LAST_UPDATED } from '../../planning/plan.ts';

/** Name and namespace of a ConfigMap. */
export interface ConfigMapName {
  readonly namespace: string;
  readonly name: string;
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
    /** The state that it is applied to, and no other. */
    readonly resourceVersion?: string;
    readonly uid?: string;
  };
  readonly data: Readonly<Record<string, string>>;
}

/**
 * The ConfigMap that a plan asks for: all fields that we own, and none that we do not.
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
        ...(now === undefined ? {} : { [LAST_UPDATED]: now.toISOString().replace(/\.\d+Z$/, 'Z') }),
      },
      ...(plan.owner === undefined ? {} : { ownerReferences: [plan.owner] }),
    },
    data: { ...plan.documents },
  };
}

/** The same, for a ConfigMap that was deleted: with what a person had written there. */
export function restoredConfigMap(object: OwnedConfigMap, overrides: string): OwnedConfigMap {
  return { ...object, data: { ...object.data, [OVERRIDES_KEY]: overrides } };
}

/**
 * The same, for one state of the ConfigMap only. The version alone does not say that: without an object of that name,
 * server-side apply makes one whatever the version, and refuses to with 409 where a uid is given.
 */
export function withState(object: OwnedConfigMap, state: ObjectState | undefined): OwnedConfigMap {
  return state === undefined ? object : { ...object, metadata: { ...object.metadata, ...state } };
}

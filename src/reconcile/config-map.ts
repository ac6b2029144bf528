import type { Plan } from '../model/published.ts';
import { LAST_UPDATED } from './plan.ts';

/** Name and namespace of a ConfigMap. */
export interface ConfigMapName {
  readonly namespace: string;
  readonly name: string;
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
    },
    data: { ...plan.documents },
  };
}

import type { Documents } from './documents.ts';

/** The live state of a published toolset: data, labels and annotations of its ConfigMap. */
export interface Published {
  readonly data: Readonly<Record<string, string>>;
  /** Names of the keys in `binaryData`, where no document of ours belongs. */
  readonly binary?: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Which state of the object this is, where it has such a thing: `metadata.resourceVersion`. */
  readonly version?: string;
  /** Whether the object is immutable. */
  readonly immutable?: boolean;
  /** The numbers of published parts that cannot be read for lack of permission. */
  readonly unread?: readonly number[];
  /** The field managers that own fields of it; absent if they are not recorded. */
  readonly managers?: readonly string[];
  /** `metadata.ownerReferences`: it is deleted together with these objects. */
  readonly owners?: readonly OwnerReference[];
  /** Our own owner reference: a publication without it would remove it. */
  readonly ownOwner?: OwnerReference;
}

/** A `v1.OwnerReference`: our object is deleted together with this one. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** The changes that reconciling makes. */
export interface Plan {
  readonly action: 'create' | 'update' | 'none';
  readonly documents: Documents;
  readonly labels: Readonly<Record<string, string>>;
  /** Annotations that follow from the content; the time of a change is added when the plan is applied. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly owner?: OwnerReference;
  /** What differs, as `data toolset.json`, `label …`, `annotation …`. */
  readonly changes: readonly string[];
  /** Text of `overrides.yaml` to restore together with a deleted ConfigMap. */
  readonly restore?: string;
  /** The state that this was planned for: it is not carried out on another one. */
  readonly basis?: string;
}

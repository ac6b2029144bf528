import type { Documents } from './documents.ts';

/** The live state of a published toolset: data, labels and annotations of its ConfigMap. */
export interface Published {
  readonly data: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Which state of the object this is, where it has such a thing: `metadata.resourceVersion`. */
  readonly version?: string;
  /** Whether the object is immutable. */
  readonly immutable?: boolean;
  /** The numbers of parts that are published and may not be read. */
  readonly unread?: readonly number[];
  /** Who owns fields of it, by the names of field managers; unknown where that is not kept. */
  readonly managers?: readonly string[];
  /** `metadata.ownerReferences`: with these objects it goes. */
  readonly owners?: readonly OwnerReference[];
  /** Which of them is ours: without it in the next publication, it would be taken away. */
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
  /** Text of `overrides.yaml` to bring back together with a ConfigMap that was deleted. */
  readonly restore?: string;
  /** The state that this was planned for: it is not carried out on another one. */
  readonly basis?: string;
}

import type { Documents } from './documents.ts';

/** A published toolset as it is now: the data, labels and annotations of its ConfigMap. */
export interface Published {
  readonly data: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What reconciling would change, and why. */
export interface Plan {
  readonly action: 'create' | 'update' | 'none';
  readonly documents: Documents;
  readonly labels: Readonly<Record<string, string>>;
  /** Annotations that follow from the content; the time of a change is added by whoever carries the plan out. */
  readonly annotations: Readonly<Record<string, string>>;
  /** What differs, as `data toolset.json`, `label …`, `annotation …`. */
  readonly changes: readonly string[];
}

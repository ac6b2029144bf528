import type { Documents } from './documents.ts';

/** A rollback to an earlier toolset, which holds until the inputs change. */
export interface Rollback {
  /** Number of the target revision at the time of the rollback. */
  readonly to: number;
  /** Hash of the documents that were published before. The rollback holds while the inputs produce these. */
  readonly from: string;
  /** Hash of the documents that the inputs produced then, if held tools made the published ones differ. It counts instead. */
  readonly inputs?: string | undefined;
  /** What a person accepted with `--allow-unapproved`, as `acceptedText` formats it. Nothing else unwanted keeps it. */
  readonly accepted?: string | undefined;
}

/** The content of a revision: everything that is needed to publish it again, and the overrides of that time. */
export interface Content {
  readonly documents: Documents;
  /** The text of `overrides.yaml`, if there was one. */
  readonly overrides: string | undefined;
  readonly rollback: Rollback | undefined;
  /** The annotation about Services in use, for a process that starts after the target was deleted. Not part of the identity. */
  readonly servicesInUse?: string | undefined;
  /** The hash of `documents` and `overrides`, where it is known already. */
  readonly identity?: string;
}

/** A published toolset in the history. */
export interface Revision extends Content {
  /** Name of the object that stores it. */
  readonly name: string;
  /** Increases with each publication. Revisions are sorted by time, because numbers of release 0.1.0 may be out of order. */
  readonly number: number;
  /** When it was first published, RFC 3339. */
  readonly created: string;
  /** When it was last published, RFC 3339. Unknown for revisions of release 0.1.0. */
  readonly published?: string | undefined;
  /** For how long it was published before that, in milliseconds. */
  readonly publishedBefore?: number | undefined;
  /** When its last publication ended, RFC 3339. Unknown for revisions of earlier releases, and for the newest. */
  readonly publishedUntil?: string | undefined;
}

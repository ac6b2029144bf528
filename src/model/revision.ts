import type { Documents } from './documents.ts';

/** A return to an earlier toolset that holds until the inputs change. */
export interface Rollback {
  /** Number of the revision that was returned to, as it was then. */
  readonly to: number;
  /** Hash of the documents that the inputs gave then: while they still give these, the rollback holds. */
  readonly from: string;
}

/** What a revision remembers: all that is needed to publish it again, and what a person had written then. */
export interface Content {
  readonly documents: Documents;
  /** The text of `overrides.yaml`, if there was one. */
  readonly overrides: string | undefined;
  readonly rollback: Rollback | undefined;
}

/** A toolset that was published and can be returned to. */
export interface Revision extends Content {
  /** Name of the object that keeps it. */
  readonly name: string;
  /** Grows with each publication. Order goes by time: a history of release 0.1.0 may have numbers that do not tell it. */
  readonly number: number;
  /** When it was first published, RFC 3339. */
  readonly created: string;
  /** When it was last published, RFC 3339; unknown for a revision that release 0.1.0 wrote. */
  readonly published?: string | undefined;
}

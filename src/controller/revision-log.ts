import type { Problem } from '../model/discovery.ts';
import { OVERRIDES_KEY, type Toolset } from '../model/documents.ts';
import { UserError } from '../model/errors.ts';
import { contentHash, revisionHash } from '../planning/content-hash.ts';
import { type Observed, observeRevisions, type ReadRevision } from '../planning/observed.ts';
import { CONTENT_HASH, rollbackOf, SERVICES_IN_USE } from '../planning/plan.ts';
import type { Publication } from './publication.ts';

/** The history of a target as this process knows it. A target without a history has no revisions. */
export class RevisionLog {
  readonly #target: Pick<Publication, 'publisher' | 'outputs' | 'now'>;
  /** `undefined` until the history is read. */
  #revisions: readonly ReadRevision[] | undefined;
  /** Identifies the newest revision, if this process verified that it exists. */
  #recorded: string | undefined;
  /** The current attempt has a note about the history. */
  #isNoted = false;
  /** Why the history cannot be read or written. */
  fault: string | undefined;

  constructor(target: Pick<Publication, 'publisher' | 'outputs' | 'now'>) {
    this.#target = target;
  }

  /** The number of the newest revision. */
  get newest(): number | undefined {
    return this.#revisions?.at(-1)?.number;
  }

  /** Whether this process recorded a revision. */
  get hasRecorded(): boolean {
    return this.#recorded !== undefined;
  }

  /**
   * The revisions, oldest first. The history is read again if the published state is not our last one.
   * @param note called with the reason if the history cannot be read
   */
  async list(
    live: Observed | undefined,
    note: (problem: Problem) => void,
    signal: AbortSignal,
  ): Promise<readonly ReadRevision[]> {
    this.#isNoted = false;
    const { history } = this.#target.publisher;
    if (history === undefined) return [];
    const documents = live?.toolset?.documents;
    const isOurs = documents !== undefined && contentHash(documents) === live?.annotations[CONTENT_HASH];
    if (this.#revisions !== undefined && isOurs) return this.#revisions;
    try {
      this.#revisions = observeRevisions(await history.list(signal), this.#target.outputs);
    } catch (error) {
      signal.throwIfAborted();
      this.#fail(error, note);
    }
    return this.#revisions ?? [];
  }

  /**
   * Records the published state as the newest revision, so that a rollback can return to it.
   * @param toolset the state that this process published
   * @param note called with the reason if the history cannot be written
   */
  async record(
    toolset: Toolset,
    live: Observed | undefined,
    note: (problem: Problem) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { publisher, now } = this.#target;
    const { history } = publisher;
    const documents = live?.toolset?.documents;
    // Another client wrote in the meantime. The next reconciliation reverts that.
    if (live === undefined || documents === undefined) return;
    if (contentHash(documents) !== contentHash(toolset.documents)) return;
    const overrides = live.data[OVERRIDES_KEY];
    const rollback = rollbackOf(live.annotations);
    const servicesInUse = live.annotations[SERVICES_IN_USE];
    const key = `${revisionHash(documents, overrides)} ${rollback?.from} ${rollback?.inputs} ${rollback?.to}`;
    this.fault = undefined;
    if (history === undefined || this.#recorded === key) {
      this.#recorded = key;
      return;
    }
    try {
      const revisions = await history.record(
        { documents, overrides, rollback, servicesInUse },
        now(),
        signal,
      );
      this.#revisions = observeRevisions(revisions, this.#target.outputs);
      this.#recorded = key;
    } catch (error) {
      signal.throwIfAborted();
      this.#fail(error, note);
    }
  }

  #fail(error: unknown, note: (problem: Problem) => void): void {
    if (!(error instanceof UserError)) throw error;
    this.fault = error.message;
    // Without the permission to list revisions, creating one fails too: one note is enough.
    if (this.#isNoted) return;
    this.#isNoted = true;
    note({
      where: this.#target.publisher.target,
      what: `no history is kept, so there is no rollback: ${error.message}`,
    });
  }
}

import type { Documents } from '../model/documents.ts';
import { ClusterError } from '../model/errors.ts';
import type { Plan, Published } from '../model/published.ts';
import type { Content, Revision } from '../model/revision.ts';

/** The target changed since the plan was made. Read it again, and plan again. */
export class PublishConflict extends Error {
  override readonly name = 'PublishConflict';
}

/** The owner reference was refused. The rest of the plan can be applied. */
export class OwnerRefused extends Error {
  override readonly name = 'OwnerRefused';
}

/** Documents cannot be divided among this many ConfigMaps, because one of them cannot be written. */
export class ShardsRefused extends ClusterError {
  /** Maximum number of ConfigMaps that can be written. */
  readonly most: number;

  constructor(most: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.most = most;
  }
}

/** Whether documents can be divided as planned. */
export interface ShardsCheck {
  /** Why not, for the first ConfigMap that cannot be written. */
  readonly refused?: ShardsRefused | undefined;
  /** The ConfigMaps that may not be read, for messages. */
  readonly unread: readonly string[];
}

/** The history of published toolsets. */
export interface History {
  /** All stored revisions, the last published one at the end. */
  list(signal: AbortSignal): Promise<readonly Revision[]>;
  /**
   * Makes a published content the newest revision, and prunes the oldest.
   * @returns the revisions that are stored then
   * @throws UserError if the write fails
   */
  record(content: Content, now: Date, signal: AbortSignal): Promise<readonly Revision[]>;
}

/** A target for toolsets. */
export interface Publisher {
  /** The ConfigMap or file, for messages. */
  readonly target: string;
  /** The history, if the target has one. */
  readonly history?: History;
  /** What is published now; `undefined` if there is nothing. */
  read(signal: AbortSignal): Promise<Published | undefined>;
  /**
   * Applies a plan; does nothing if the plan has no change. Writes only our own keys.
   * @returns the stored state according to the response to the write; others may have changed it since
   * @throws PublishConflict if the target changed since the plan was made; OwnerRefused; ShardsRefused
   */
  apply(plan: Plan, now: Date, signal: AbortSignal): Promise<Published | undefined>;
  /**
   * Whether documents can be divided as planned, as far as reads show; for commands, which write nothing.
   * @throws as `read`
   */
  checkShards?(documents: Documents, signal: AbortSignal): Promise<ShardsCheck>;
  /**
   * Whether a refused write is possible now, as far as reads show.
   * @throws as `read`
   */
  isUsable?(refused: ShardsRefused, signal: AbortSignal): Promise<boolean>;
  /**
   * Watches the target for changes by others, until the signal is aborted. Does not throw.
   * @param failed called once while the target cannot be watched
   */
  watch?(changed: () => void, failed: (error: Error) => void, signal: AbortSignal): Promise<void>;
}

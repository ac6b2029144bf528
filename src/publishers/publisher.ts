import { ClusterError } from '../model/errors.ts';
import type { Plan, Published } from '../model/published.ts';
import type { Content, Revision } from '../model/revision.ts';

/** What was planned for is not what is there any more: somebody wrote in between. Read again, and decide anew. */
export class PublishConflict extends Error {
  override readonly name = 'PublishConflict';
}

/** We may not make what is published go with another object. All else of the plan can be carried out. */
export class OwnerRefused extends Error {
  override readonly name = 'OwnerRefused';
}

/** Documents cannot be divided among so many ConfigMaps, because one of them cannot be written. */
export class ShardsRefused extends ClusterError {
  /** How many ConfigMaps they can be divided among. */
  readonly most: number;

  constructor(most: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.most = most;
  }
}

/** Where published toolsets are remembered. */
export interface History {
  /** All that are kept, the one that was published last at the end. */
  list(signal: AbortSignal): Promise<readonly Revision[]>;
  /**
   * Makes a content that was published at that time the newest revision, and lets the oldest go.
   * @returns all that are kept then
   * @throws UserError where it could not be written
   */
  record(content: Content, now: Date, signal: AbortSignal): Promise<readonly Revision[]>;
}

/** Where toolsets are published. */
export interface Publisher {
  /** For messages: which ConfigMap or file. */
  readonly target: string;
  /** Where what was published is remembered, if anywhere. */
  readonly history?: History;
  /** What is published there now; nothing if there is none. */
  read(signal: AbortSignal): Promise<Published | undefined>;
  /**
   * Carries a plan out; does nothing when the plan says so. Only our own keys are written.
   * @returns what was stored, by the answer to the write: somebody may have written since
   * @throws PublishConflict when what is there is not what the plan was made for; OwnerRefused; ShardsRefused
   */
  apply(plan: Plan, now: Date, signal: AbortSignal): Promise<Published | undefined>;
  /**
   * Whether what was refused can be written now, as far as reads tell.
   * @throws as `read`
   */
  isUsable?(refused: ShardsRefused, signal: AbortSignal): Promise<boolean>;
  /**
   * Tells when somebody else wrote there, until the signal is aborted. Does not throw.
   * @param failed told once while it cannot be watched
   */
  watch?(changed: () => void, failed: (error: Error) => void, signal: AbortSignal): Promise<void>;
}

import { hideInMessage } from './redact-text.ts';

/**
 * A failure that the user can fix. The message says what happened, where, and what to do, and is shown without a stack.
 * Secrets in it are redacted, because it may quote servers and files, and goes to terminals, logs, Events and clients.
 * Subclasses name the kind of failure.
 */
export abstract class UserError extends Error {
  override readonly name: string = 'UserError';

  constructor(message: string, options?: ErrorOptions) {
    super(hideInMessage(message), options);
  }
}

/** Invalid flags, settings or files. */
export class ConfigError extends UserError {
  override readonly name = 'ConfigError';
}

/** The cluster is unreachable, or denied a request. */
export class ClusterError extends UserError {
  override readonly name = 'ClusterError';
}

/** No cluster is configured. */
export class NoClusterError extends ConfigError {}

/** The cluster does not answer. */
export class UnreachableError extends ClusterError {}

/** A check found errors. */
export class FindingsError extends UserError {
  override readonly name = 'FindingsError';
}

/** The command succeeded, except for a follow-up step. */
export class IncompleteError extends UserError {
  override readonly name = 'IncompleteError';
}

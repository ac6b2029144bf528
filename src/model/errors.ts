import { hideSecrets } from './redact-text.ts';

/**
 * A failure that a person can mend: the text says what happened, where, and what to do. No stack is shown. Secrets in the
 * text, which may hold words of servers and files, are hidden: it goes to terminals, the log, Events and clients. Each
 * subclass says what kind of failure it is.
 */
export abstract class UserError extends Error {
  override readonly name: string = 'UserError';

  constructor(message: string, options?: ErrorOptions) {
    super(hideSecrets(message), options);
  }
}

/** What a person gave cannot be used: flags, settings, files, or what they name. */
export class ConfigError extends UserError {
  override readonly name = 'ConfigError';
}

/** The cluster cannot be reached, or denies something. */
export class ClusterError extends UserError {
  override readonly name = 'ClusterError';
}

/** What was asked for was looked at, and is not as it should be. */
export class FindingsError extends UserError {
  override readonly name = 'FindingsError';
}

/** It was done, but for what goes with it. */
export class IncompleteError extends UserError {
  override readonly name = 'IncompleteError';
}

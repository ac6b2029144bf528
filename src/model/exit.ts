import { hideSecrets } from './redact-text.ts';

/**
 * Exit codes of the command line: fine, findings, usage or configuration, cluster unreachable or denied, and done but
 * for what goes with it.
 */
export const EXIT = { ok: 0, findings: 1, usage: 2, cluster: 3, incomplete: 4 } as const;

/**
 * A failure that a person can mend: the text says what happened, where, and what to do. No stack is shown. Secrets in the
 * text, which may hold words of servers and files, are hidden: it goes to terminals, the log, Events and clients.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number, options?: ErrorOptions) {
    super(hideSecrets(message), options);
    this.exitCode = exitCode;
  }
}

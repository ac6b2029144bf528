/** Why something that was asked of a server, or read, failed: few words, so that they can be counted. */
export const FAILURE_REASONS = [
  'unauthenticated',
  'denied',
  'expired',
  'throttled',
  'refused',
  'server_error',
  'bad_answer',
  'timeout',
  'network',
  'input',
] as const;

export type FailureReason = (typeof FAILURE_REASONS)[number];

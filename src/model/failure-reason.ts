/** Reasons for failed requests and reads. They are few, because they are metric labels. */
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

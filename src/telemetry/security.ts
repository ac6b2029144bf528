/** What those who look after security want to see. */
export type SecurityEvent =
  | 'authentication_failed'
  | 'authorization_denied'
  | 'discovery_request_received'
  | 'discovery_completed'
  | 'configmap_changed_by_others'
  | 'configmap_deleted_detected'
  | 'configmap_reconciliation_success';

/** Fields of a line of the log that marks it for them. @param username who did it, where that is known */
export const security = (event: SecurityEvent, username?: string) => ({
  event_type: 'security',
  event,
  ...(username === undefined ? {} : { username }),
});

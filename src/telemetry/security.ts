/** Security audit events. */
export type SecurityEvent =
  | 'authentication_failed'
  | 'authorization_denied'
  | 'discovery_request_received'
  | 'discovery_completed'
  | 'configmap_changed_by_others'
  | 'configmap_deleted_detected'
  | 'configmap_reconciliation_success';

/** Log fields that mark a line as a security event. @param username the user who caused it, if known */
export const securityFields = (event: SecurityEvent, username?: string) => ({
  event_type: 'security',
  event,
  ...(username === undefined ? {} : { username }),
});

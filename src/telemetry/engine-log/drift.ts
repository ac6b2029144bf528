import type { EventHandlers } from '../event-handlers.ts';
import type { Logger } from '../logger.ts';
import { securityFields } from '../security.ts';
import { seconds } from './fields.ts';

const component = 'reconciliation';
/** Maximum diff lines in one log line. */
const MAX_DIFF_LINES = 40;

/** Logs external changes of the published documents, and that they were reverted. */
export const driftLog = (log: Logger): EventHandlers => ({
  drift({ cycle, keys, diff }) {
    const lines = diff.slice(0, MAX_DIFF_LINES).map(({ text }) => text);
    log.warn(
      {
        component,
        cycle,
        ...securityFields('configmap_changed_by_others'),
        drift_keys: keys,
        drift_count: keys.length,
        diff: lines.join('\n'),
      },
      'somebody changed generated content; the change was reverted. Write changes into overrides.yaml',
    );
  },
  'drift-repeated'({ cycle, keys, retryIn }) {
    log.error(
      { component, cycle, drift_keys: keys, retry_in: seconds(retryIn) },
      'something keeps making the same change to generated content; it is reverted only once a minute. Find the writer in metadata.managedFields of the ConfigMap, or in the audit log',
    );
  },
  recreated({ cycle, overrides }) {
    log.warn(
      { component, cycle, ...securityFields('configmap_deleted_detected'), overrides_restored: overrides },
      overrides
        ? 'the published toolset was deleted; it was recreated, with the last known overrides.yaml'
        : 'the published toolset was deleted; it was recreated',
    );
  },
});

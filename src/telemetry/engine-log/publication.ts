import type { EventHandlers } from '../event-handlers.ts';
import type { Logger } from '../logger.ts';
import { problemLog } from '../problem-log.ts';
import { securityFields } from '../security.ts';
import { messageOf, seconds, stackOf } from './fields.ts';

const component = 'reconciliation';

/** Logs publications and what prevents them. */
export function publicationLog(log: Logger): EventHandlers {
  const notes = problemLog(log, component);
  let failing = false;
  return {
    published({ cycle, plan, target }) {
      log.info(
        {
          component,
          cycle,
          ...securityFields('configmap_reconciliation_success'),
          operation: plan.action,
          status: 'success',
          keys_updated: plan.changes,
        },
        `toolset published to ${target}`,
      );
    },
    reconciled({ ok, cycle, problems }) {
      notes(problems, cycle);
      if (!ok || !failing) return;
      failing = false;
      log.info({ component, cycle, status: 'success' }, 'reconciliation recovered');
    },
    'observe-failed'({ cycle, error, retryIn }) {
      log.warn(
        { component, cycle, retry_in: seconds(retryIn) },
        `the published toolset cannot be read: ${messageOf(error)}`,
      );
    },
    'watch-failed'({ error }) {
      log.warn(
        { component },
        `cannot watch the published toolset, so external changes are noticed only with each full resync: ${error.message}`,
      );
    },
    'publish-failed'({ cycle, attempt, error, retryIn }) {
      failing = true;
      log.error(
        {
          component,
          cycle,
          status: 'failure',
          retry_attempt: attempt,
          retry_in: seconds(retryIn),
          ...stackOf(error),
        },
        `the toolset was not published: ${messageOf(error)}`,
      );
    },
  };
}

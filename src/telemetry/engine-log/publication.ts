import { countOf } from '../../model/count-of.ts';
import type { EventHandlers } from '../event-handlers.ts';
import { FailureStreak } from '../failure-streak.ts';
import type { Logger } from '../logger.ts';
import { isMetadataOnly } from '../metadata-only.ts';
import { problemLog } from '../problem-log.ts';
import { securityFields } from '../security.ts';
import { messageOf, seconds, stackOf } from './fields.ts';

const component = 'reconciliation';

/** Logs publications and what prevents them. */
export function publicationLog(log: Logger, now: () => number): EventHandlers {
  const notes = problemLog(log, component, now);
  const failed = new FailureStreak(now);
  const unread = new FailureStreak(now);
  const unwatched = new FailureStreak(now);
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
        isMetadataOnly(plan)
          ? `metadata of ${target} updated; its documents are unchanged`
          : `toolset published to ${target}`,
      );
    },
    reconciled({ ok, cycle, problems, isPartial = false }) {
      notes(problems, cycle, isPartial);
      const failures = ok ? failed.end() : 0;
      if (failures > 0)
        log.info(
          { component, cycle, status: 'success', failures },
          `reconciliation recovered after ${countOf(failures, 'failure')}`,
        );
    },
    observed() {
      unread.end();
    },
    'observe-failed'({ cycle, error, retryIn }) {
      log[unread.add(messageOf(error)) ? 'warn' : 'debug'](
        { component, cycle, retry_in: seconds(retryIn) },
        `the published toolset cannot be read: ${messageOf(error)}`,
      );
    },
    'watch-failed'({ error }) {
      log[unwatched.add(error.message) ? 'warn' : 'debug'](
        { component },
        `cannot watch the published toolset, so external changes are noticed only with each full resync: ${error.message}`,
      );
    },
    'publish-failed'({ cycle, attempt, error, retryIn }) {
      log[failed.add(messageOf(error)) ? 'error' : 'debug'](
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

import { OUTAGE_PLACE } from '../../model/discovery.ts';
import { clusterField, readKey } from '../../model/key.ts';
import { RateLimiter } from '../../model/rate-limit.ts';
import { toolChangeSentence } from '../engine-events.ts';
import type { EventHandlers, EventOf } from '../event-handlers.ts';
import { FailureStreak } from '../failure-streak.ts';
import type { Logger } from '../logger.ts';
import { problemLog } from '../problem-log.ts';
import { securityFields } from '../security.ts';
import { logChanges } from './backend-changes.ts';
import { messageOf, seconds, stackOf } from './fields.ts';

function nameOf(key: string): Record<string, unknown> {
  const { cluster, namespace, name } = readKey(key);
  return { ...clusterField({ cluster }), namespace, service_name: name };
}

/** Counts backends by type. */
function countsOf(services: EventOf<'pass'>['services']): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { type } of services) counts[`${type}_count`] = (counts[`${type}_count`] ?? 0) + 1;
  return counts;
}

const passFields = (event: EventOf<'pass'>): object => ({
  component: 'service_discovery',
  ...(event.full ? securityFields('discovery_completed') : {}),
  cycle: event.cycle,
  triggered_by: event.full ? 'interval' : 'change',
  services_examined: event.examined,
  discovered_count: event.services.length,
  ...countsOf(event.services),
  duration: Math.round(event.milliseconds) / 1000,
});

const OUTAGES = {
  dns: "no name of a backend resolves, which points at this Pod's DNS: health is unknown, and published tools stay until one resolves",
  network:
    "no backend can be reached, which points at this Pod's DNS or network: health is unknown, and published tools stay until one is reachable",
};

/** Lines about changed tools of MCP servers, per namespace: servers may change their tools all the time. */
const CHANGES = { rate: 0.1, burst: 30, clients: 10_000 };

/** Logs discovered backends and discovery problems. */
export function discoveryLog(log: Logger, now: () => number): EventHandlers {
  const problems = problemLog(log, 'service_discovery', now);
  const changes = new RateLimiter({ ...CHANGES, now });
  const failed = new FailureStreak(now);
  /** Failures of sources, by cluster. */
  const unread = new Map<string, FailureStreak>();
  return {
    'discovery-failed'({ cycle, attempt, error, retryIn }) {
      log[failed.add(messageOf(error)) ? 'error' : 'debug'](
        {
          component: 'service_discovery',
          cycle,
          retry_attempt: attempt,
          retry_in: seconds(retryIn),
          ...stackOf(error),
        },
        `discovery failed, so the last result is kept: ${messageOf(error)}`,
      );
    },
    pass(event) {
      const { full, cycle } = event;
      if (full) {
        failed.end();
      }
      const changed = logChanges(log, event);
      // An outage has lines of its own.
      problems(
        event.problems.filter(({ where }) => where !== OUTAGE_PLACE),
        cycle,
      );
      // In a busy cluster, most changes of Services do not affect backends.
      log[full || changed ? 'info' : 'debug'](passFields(event), 'discovery completed');
    },
    'tools-changed'({ change, cycle }) {
      const { allowed } = changes.take(change.service.slice(0, change.service.lastIndexOf('/')));
      log[!allowed ? 'debug' : change.since === 'nothing' ? 'info' : 'warn'](
        { component: 'service_discovery', cycle, ...nameOf(change.service) },
        toolChangeSentence(change).replace(/^The/, 'the'),
      );
    },
    outage({ outage }) {
      const component = 'health_check';
      if (outage === undefined)
        log.info({ component }, 'a backend is reachable again, so all are probed again');
      else log.warn({ component, outage }, OUTAGES[outage]);
    },
    'source-recovered'() {
      // At most one line, whatever the number of clusters.
      if ([...unread.values()].filter((streak) => streak.end() > 0).length > 0)
        log.info({ component: 'service_discovery' }, 'Services can be read again');
    },
    'source-failed'({ cluster = '', error, retryIn }) {
      const streak = unread.get(cluster) ?? new FailureStreak(now);
      unread.set(cluster, streak);
      log[streak.add(messageOf(error)) ? 'error' : 'debug'](
        {
          component: 'service_discovery',
          ...clusterField({ cluster }),
          retry_in: seconds(retryIn),
        },
        `Services cannot be read, so the last known ones are kept: ${messageOf(error)}`,
      );
    },
  };
}

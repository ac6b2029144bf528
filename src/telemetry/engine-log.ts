import type { EngineEvent } from '../engine/engine.ts';
import { type DiscoveredService, endpointUrl, problemLine } from '../model/discovery.ts';
import { UserError } from '../model/exit.ts';
import { serviceKey } from '../model/service.ts';
import type { Logger } from './logger.ts';

function fieldsOf(service: DiscoveredService): Record<string, unknown> {
  return {
    component: 'service_discovery',
    service_type: service.type,
    service_name: service.service.name,
    namespace: service.service.namespace,
    endpoint: endpointUrl(service.endpoint),
    health: service.verdict.health,
  };
}

/** Where a bug came from; an error that a person can mend needs no stack. */
function stackOf(error: unknown): Record<string, unknown> {
  return error instanceof UserError ? {} : { stacktrace: (error as Error).stack };
}

/** Logs what the engine tells: what changed, not what stayed; a problem once while it lasts. */
export function engineLog(log: Logger): (event: EngineEvent) => void {
  let known = new Set<string>();
  const pass = (event: Extract<EngineEvent, { kind: 'pass' }>): void => {
    const before = new Map(event.before.map((service) => [serviceKey(service.service), service]));
    for (const service of event.services) {
      const old = before.get(serviceKey(service.service));
      before.delete(serviceKey(service.service));
      const fields = { ...fieldsOf(service), reason: service.verdict.reason, cycle: event.cycle };
      if (old === undefined)
        log.info({ ...fields, evidence: service.evidence[0]?.detail }, 'backend discovered');
      else if (old.verdict.health !== service.verdict.health)
        log[service.verdict.health === 'unhealthy' ? 'warn' : 'info'](
          fields,
          `backend became ${service.verdict.health}`,
        );
      else if (endpointUrl(old.endpoint) !== endpointUrl(service.endpoint) || old.type !== service.type)
        log.info(fields, 'backend changed');
    }
    for (const service of before.values())
      log.info({ ...fieldsOf(service), cycle: event.cycle }, 'backend gone');
    const lines = event.problems.map(problemLine);
    for (const line of lines) if (!known.has(line)) log.warn({ component: 'service_discovery' }, line);
    known = new Set(lines);
    const counts: Record<string, number> = {};
    for (const { type } of event.services) counts[`${type}_count`] = (counts[`${type}_count`] ?? 0) + 1;
    log.info(
      {
        component: 'service_discovery',
        cycle: event.cycle,
        services_examined: event.examined,
        discovered_count: event.services.length,
        ...counts,
        duration: Math.round(event.milliseconds) / 1000,
      },
      'discovery completed',
    );
  };
  return (event) => {
    switch (event.kind) {
      case 'pass':
        pass(event);
        return;
      case 'published':
        log.info(
          {
            component: 'reconciliation',
            cycle: event.cycle,
            operation: event.plan.action,
            keys_updated: event.plan.changes,
          },
          `toolset published to ${event.target}`,
        );
        return;
      case 'drift':
        log.warn(
          {
            component: 'reconciliation',
            cycle: event.cycle,
            drift_keys: event.keys,
            drift_count: event.keys.length,
            diff: event.diff
              .slice(0, 40)
              .map(({ text }) => text)
              .join('\n'),
          },
          'somebody changed what is generated; it is put right. Write changes into overrides.yaml',
        );
        return;
      case 'removal-held':
        log.warn(
          {
            component: 'reconciliation',
            cycle: event.cycle,
            tools: event.tools,
            retry_in: Math.round(event.retryIn) / 1000,
          },
          `${event.tools.length} tools became unhealthy at once, so they stay for one more cycle; --force takes them out at once`,
        );
        return;
      case 'source-failed':
        log.error(
          { component: 'service_discovery', retry_in: Math.round(event.retryIn) / 1000 },
          `the last known services stand: ${(event.error as Error).message}`,
        );
        return;
      case 'publish-failed':
        log.error(
          {
            component: 'reconciliation',
            cycle: event.cycle,
            retry_in: Math.round(event.retryIn) / 1000,
            ...stackOf(event.error),
          },
          `the toolset was not published: ${(event.error as Error).message}`,
        );
    }
  };
}

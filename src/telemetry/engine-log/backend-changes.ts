import { causeOf, type DiscoveredService, endpointUrl } from '../../model/discovery.ts';
import { clusterField } from '../../model/key.ts';
import { serviceKey } from '../../model/service.ts';
import type { EventOf } from '../event-handlers.ts';
import type { Logger } from '../logger.ts';

interface Line {
  readonly level: 'info' | 'warn';
  readonly fields?: Record<string, unknown>;
  readonly message: string;
}

function fieldsOf(service: DiscoveredService): Record<string, unknown> {
  return {
    component: 'service_discovery',
    service_type: service.type,
    service_name: service.service.name,
    ...clusterField(service.service),
    namespace: service.service.namespace,
    endpoint: endpointUrl(service.endpoint),
    health: service.verdict.health,
    healthy: service.verdict.health === 'unknown' ? null : service.verdict.health === 'healthy',
  };
}

/** The line for a changed backend. `undefined` if nothing changed. */
function changeOf(old: DiscoveredService | undefined, service: DiscoveredService): Line | undefined {
  const { health } = service.verdict;
  if (old === undefined)
    return {
      level: 'info',
      fields: { evidence: service.evidence[0]?.detail },
      message: 'backend discovered',
    };
  const checked = { component: 'health_check' };
  if (old.verdict.health !== health)
    return {
      level: health === 'unhealthy' ? 'warn' : 'info',
      fields: checked,
      message: `backend became ${health}`,
    };
  if (health !== 'healthy' && causeOf(old.verdict) !== causeOf(service.verdict))
    return { level: 'info', fields: checked, message: `backend is ${health} for another reason` };
  if (endpointUrl(old.endpoint) !== endpointUrl(service.endpoint) || old.type !== service.type)
    return { level: 'info', message: 'backend changed' };
  return undefined;
}

/** Why a backend is reached by this Service, as its last evidence says. */
const whyThis = ({ evidence }: DiscoveredService): string | undefined =>
  evidence.findLast(({ signal }) => signal === 'group')?.detail;

/** Logs the backends that changed in a pass. @returns whether there were any */
export function logChanges(log: Logger, { before, services, cycle }: EventOf<'pass'>): boolean {
  // A backend of which nothing changed is the same object.
  const [known, now] = [new Set(before), new Set(services)];
  const others = before.filter((service) => !now.has(service));
  const gone = new Map(others.map((service) => [serviceKey(service.service), service]));
  let changed = false;
  for (const service of services) {
    if (known.has(service)) continue;
    const key = serviceKey(service.service);
    const former = gone.has(key)
      ? undefined
      : service.alternates
          .map((name) => serviceKey({ ...service.service, name }))
          .find((each) => gone.has(each));
    const change =
      former === undefined
        ? changeOf(gone.get(key), service)
        : ({
            level: 'info',
            fields: { former_service_name: gone.get(former)?.service.name, reason: whyThis(service) },
            message: 'backend is reached by another Service',
          } as const);
    gone.delete(former ?? key);
    if (change === undefined) continue;
    changed = true;
    const fields = { ...fieldsOf(service), reason: service.verdict.reason, cycle };
    log[change.level]({ ...fields, ...change.fields }, change.message);
  }
  for (const service of gone.values()) log.info({ ...fieldsOf(service), cycle }, 'backend gone');
  return changed || gone.size > 0;
}

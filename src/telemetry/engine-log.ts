import type { AgentOutcome, EngineEvent } from '../controller/events.ts';
import { causeOf, type DiscoveredService, endpointUrl, problemLine } from '../model/discovery.ts';
import { OVERRIDES_KEY } from '../model/documents.ts';
import { UserError } from '../model/errors.ts';
import { serviceKey } from '../model/service.ts';
import { toolChangeText } from './engine-events.ts';
import type { Logger } from './logger.ts';
import { problemLog } from './problem-log.ts';
import { security } from './security.ts';

function fieldsOf(service: DiscoveredService): Record<string, unknown> {
  return {
    component: 'service_discovery',
    service_type: service.type,
    service_name: service.service.name,
    namespace: service.service.namespace,
    endpoint: endpointUrl(service.endpoint),
    health: service.verdict.health,
    healthy: service.verdict.health === 'unknown' ? null : service.verdict.health === 'healthy',
  };
}

function nameOf(key: string): Record<string, unknown> {
  const [namespace, name] = key.split('/');
  return { namespace, service_name: name };
}

/** Where a bug came from; an error that a person can mend needs no stack. */
function stackOf(error: unknown): Record<string, unknown> {
  return error instanceof UserError ? {} : { stacktrace: (error as Error).stack };
}

/** Seconds with one decimal, for fields of the log. */
const seconds = (milliseconds: number): number => Math.round(milliseconds / 100) / 10;

/** Logs what is other than before. @returns whether anything is */
function logChanges(log: Logger, event: Extract<EngineEvent, { kind: 'pass' }>): boolean {
  const before = new Map(event.before.map((service) => [serviceKey(service.service), service]));
  let changed = false;
  const tell = (level: 'info' | 'warn', fields: Record<string, unknown>, message: string): void => {
    changed = true;
    log[level](fields, message);
  };
  for (const service of event.services) {
    const old = before.get(serviceKey(service.service));
    before.delete(serviceKey(service.service));
    const fields = { ...fieldsOf(service), reason: service.verdict.reason, cycle: event.cycle };
    const { health } = service.verdict;
    if (old === undefined)
      tell('info', { ...fields, evidence: service.evidence[0]?.detail }, 'backend discovered');
    else if (old.verdict.health !== health)
      tell(
        health === 'unhealthy' ? 'warn' : 'info',
        { ...fields, component: 'health_check' },
        `backend became ${health}`,
      );
    else if (health !== 'healthy' && causeOf(old.verdict) !== causeOf(service.verdict))
      tell('info', { ...fields, component: 'health_check' }, `backend is ${health} for another reason`);
    else if (endpointUrl(old.endpoint) !== endpointUrl(service.endpoint) || old.type !== service.type)
      tell('info', fields, 'backend changed');
  }
  for (const service of before.values())
    tell('info', { ...fieldsOf(service), cycle: event.cycle }, 'backend gone');
  return changed;
}

/** Logs what was done for the agent. */
function agent(log: Logger, outcome: AgentOutcome, cycle: number): void {
  const fields = { component: 'agent', cycle };
  switch (outcome.kind) {
    case 'agent-written':
      log.info(
        fields,
        outcome.learned
          ? `${outcome.target} was written; what somebody had changed there stays and wins`
          : `${outcome.target} was written`,
      );
      return;
    case 'agent-restarted':
      log.info(fields, `${outcome.target} was restarted, so that it reads the toolset`);
      return;
    case 'agent-reloaded':
      log.info(fields, `${outcome.target} was told to read the toolset again`);
      return;
    case 'agent-reload-delayed':
      log.info(
        { ...fields, retry_in: seconds(outcome.dueIn) },
        `${outcome.target} reads the toolset again later, so as not to be disturbed too often`,
      );
      return;
    case 'agent-refused':
    case 'agent-note':
      log.warn(fields, problemLine(outcome.problem));
      return;
    case 'agent-failed':
      log.error(
        { ...fields, retry_in: seconds(outcome.retryIn), ...stackOf(outcome.error) },
        `HolmesGPT was not told of the toolset: ${(outcome.error as Error).message}`,
      );
  }
}

/** Logs what the engine tells: what changed, not what stayed; a problem once while it lasts. */
export function engineLog(log: Logger): (event: EngineEvent) => void {
  const problems = problemLog(log, 'service_discovery');
  const notes = problemLog(log, 'reconciliation');
  /** What fails now. */
  const failing = { source: false, publishing: false };
  const pass = (event: Extract<EngineEvent, { kind: 'pass' }>): void => {
    if (event.full && failing.source) {
      failing.source = false;
      log.info({ component: 'service_discovery', cycle: event.cycle }, 'Services can be read again');
    }
    const changed = logChanges(log, event);
    problems(event.problems, event.cycle);
    const counts: Record<string, number> = {};
    for (const { type } of event.services) counts[`${type}_count`] = (counts[`${type}_count`] ?? 0) + 1;
    // In a busy cluster most changes are of no consequence here.
    log[event.full || changed ? 'info' : 'debug'](
      {
        component: 'service_discovery',
        ...(event.full ? security('discovery_completed') : {}),
        cycle: event.cycle,
        triggered_by: event.full ? 'interval' : 'change',
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
            ...security('configmap_reconciliation_success'),
            operation: event.plan.action,
            status: 'success',
            keys_updated: event.plan.changes,
          },
          `toolset published to ${event.target}`,
        );
        return;
      case 'reconciled':
        notes(event.problems, event.cycle);
        if (event.ok && failing.publishing) {
          failing.publishing = false;
          log.info(
            { component: 'reconciliation', cycle: event.cycle, status: 'success' },
            'what is published is in step again',
          );
        }
        return;
      case 'drift':
        log.warn(
          {
            component: 'reconciliation',
            cycle: event.cycle,
            ...security('configmap_changed_by_others'),
            drift_keys: event.keys,
            drift_count: event.keys.length,
            diff: event.diff
              .slice(0, 40)
              .map(({ text }) => text)
              .join('\n'),
          },
          'somebody changed what is generated; it was put right. Write changes into overrides.yaml',
        );
        return;
      case 'drift-repeated':
        log.error(
          {
            component: 'reconciliation',
            cycle: event.cycle,
            drift_keys: event.keys,
            retry_in: seconds(event.retryIn),
          },
          'something makes the same change to what is generated again and again; it is reverted once a minute only. Find out what it is in metadata.managedFields of the ConfigMap, or in the audit log',
        );
        return;
      case 'recreated':
        log.warn(
          {
            component: 'reconciliation',
            cycle: event.cycle,
            ...security('configmap_deleted_detected'),
            overrides_restored: event.overrides,
          },
          event.overrides
            ? 'what was published was gone; it was made anew, with overrides.yaml as it was'
            : 'what was published was gone; it was made anew',
        );
        return;
      case 'overrides-invalid':
        log.warn(
          { component: 'reconciliation', cycle: event.cycle, override_key: OVERRIDES_KEY },
          `overrides.yaml cannot be used: ${event.faults}; the last toolset stays until it is mended`,
        );
        return;
      case 'overrides-mended':
        log.info({ component: 'reconciliation', cycle: event.cycle }, 'overrides.yaml can be used again');
        return;
      case 'rolled-back':
        log.error(
          { component: 'reconciliation', cycle: event.cycle, revision: event.to, faults: event.faults },
          `what was published could not be used as it was read back; it was rolled back to revision ${event.to}`,
        );
        return;
      case 'rollback':
        log[event.holds ? 'warn' : 'info'](
          { component: 'reconciliation', cycle: event.cycle, revision: event.to },
          event.holds
            ? `the rollback to revision ${event.to} holds until the inputs change`
            : 'the inputs changed, so the rollback ended',
        );
        return;
      case 'tools-changed':
        log.warn(
          { component: 'service_discovery', cycle: event.cycle, ...nameOf(event.change.service) },
          `the MCP server ${event.change.service} changed its tools: ${toolChangeText(event.change)}`,
        );
        return;
      case 'agent':
        agent(log, event.outcome, event.cycle);
        return;
      case 'reconfigured':
        log.info(
          { component: 'configuration', changes: event.changes },
          `the configuration changed: ${event.changes.join(', ')}`,
        );
        return;
      case 'configuration-refused':
        log.error(
          { component: 'configuration' },
          `the configuration cannot be used, and the one before stays in force: ${event.error.message.replaceAll('\n', '; ')}`,
        );
        return;
      case 'configuration-mended':
        log.info({ component: 'configuration' }, 'the configuration is again the one in force');
        return;
      case 'watch-failed':
        log.warn(
          { component: 'reconciliation' },
          `what others change in the published toolset is noticed with each pass only: ${event.error.message}`,
        );
        return;
      case 'removal-held':
        log.warn(
          {
            component: 'reconciliation',
            cycle: event.cycle,
            tools: event.tools,
            retry_in: seconds(event.retryIn),
          },
          `${event.tools.length} tools are not found or cannot be used any more; they stay for now, and everything else follows what was found`,
        );
        return;
      case 'outage':
        if (event.outage === undefined)
          log.info({ component: 'health_check' }, 'a backend is reached again, so all are asked again');
        else
          log.warn(
            { component: 'health_check', outage: event.outage },
            event.outage === 'dns'
              ? "no name of a backend resolves, which points at this Pod's DNS: health is unknown, and what is published stays until one resolves"
              : "no backend can be reached, which points at this Pod's DNS or network: health is unknown, and what is published stays until one is reached",
          );
        return;
      case 'source-failed':
        failing.source = true;
        log.error(
          { component: 'service_discovery', retry_in: seconds(event.retryIn) },
          `the last known services stand: ${(event.error as Error).message}`,
        );
        return;
      case 'observe-failed':
        log.warn(
          { component: 'reconciliation', cycle: event.cycle, retry_in: seconds(event.retryIn) },
          `what is published cannot be read: ${(event.error as Error).message}`,
        );
        return;
      case 'publish-failed':
        failing.publishing = true;
        log.error(
          {
            component: 'reconciliation',
            cycle: event.cycle,
            status: 'failure',
            retry_attempt: event.attempt,
            retry_in: seconds(event.retryIn),
            ...stackOf(event.error),
          },
          `the toolset was not published: ${(event.error as Error).message}`,
        );
    }
  };
}

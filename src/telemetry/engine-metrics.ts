import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { EngineEvent } from '../engine/events.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import { serviceKey } from '../model/service.ts';

const PREFIX = 'dynamic_toolset_';

/** Metrics of what the engine does, and the process' own. Names of Services and texts of tenants are never labels. */
export interface EngineMetrics {
  readonly registry: Registry;
  count(event: EngineEvent): void;
}

/** How many of something there are by a label's value; values that none are left of are gone. */
function setCounts(gauge: Gauge<'type'>, types: readonly string[]): void {
  gauge.reset();
  for (const type of types) gauge.inc({ type });
}

/** @param known types that may be labels: those of detectors; a tenant's own words are `other` */
export function engineMetrics(version: string, known: (type: string) => boolean): EngineMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  // Gauges with the ending of a counter, which promtool objects to; each has a twin by type.
  for (const what of ['handles', 'requests', 'resources'])
    registry.removeSingleMetric(`nodejs_active_${what}_total`);
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> =>
    new Counter({ name: `${PREFIX}${name}`, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []): Gauge<L> =>
    new Gauge({ name: `${PREFIX}${name}`, help, labelNames, registers });

  gauge('build_info', 'The version that runs; always 1.', ['version']).set({ version }, 1);
  const discovered = counter('services_discovered_total', 'Backends that were discovered.', [
    'type',
    'namespace',
  ]);
  const healthy = gauge('services_healthy', 'Backends that are healthy now.', ['type']);
  const unhealthy = gauge('services_unhealthy', 'Backends that are unhealthy now.', ['type']);
  const duration = new Histogram({
    name: `${PREFIX}discovery_duration_seconds`,
    help: 'Time of a full look, probes included.',
    buckets: [0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30],
    registers,
  });
  const errors = counter('discovery_errors_total', 'Times that the source could not be read.');
  const updates = counter('configmap_updates_total', 'Publications, by how they ended.', ['result']);
  const drift = counter(
    'configmap_drift_detected_total',
    'Generated parts that somebody else changed or deleted.',
    ['kind'],
  );
  const overrides = counter('override_errors_total', 'Times that the overrides became unusable.');
  const held = counter('removals_held_total', 'Times that a removal of many tools at once was held.');
  const reloads = counter('config_reloads_total', 'Changes of the configuration, by what came of them.', [
    'result',
  ]);
  const reloaded = gauge(
    'config_last_reload_successful',
    'Whether the configuration as it is now is the one in force: 1, or 0 if it cannot be used.',
  );
  reloaded.set(1);
  const rollbacks = counter(
    'rollbacks_total',
    'Publications that were rolled back because they could not be used.',
  );
  const success = gauge('last_success_timestamp_seconds', 'When a stage last succeeded.', ['stage']);

  const typeOf = ({ type }: DiscoveredService): string => (known(type) ? type : 'other');
  const pass = ({ before, services, milliseconds }: Extract<EngineEvent, { kind: 'pass' }>): void => {
    const old = new Set(before.map(({ service }) => serviceKey(service)));
    for (const each of services)
      if (!old.has(serviceKey(each.service)))
        discovered.inc({ type: typeOf(each), namespace: each.service.namespace });
    const of = (health: string): string[] =>
      services.filter(({ verdict }) => verdict.health === health).map(typeOf);
    setCounts(healthy, of('healthy'));
    setCounts(unhealthy, of('unhealthy'));
    duration.observe(milliseconds / 1000);
    success.set({ stage: 'discovery' }, Date.now() / 1000);
  };
  return {
    registry,
    count(event) {
      switch (event.kind) {
        case 'pass':
          pass(event);
          return;
        case 'source-failed':
          errors.inc();
          return;
        case 'published':
          updates.inc({ result: 'success' });
          return;
        case 'publish-failed':
          updates.inc({ result: 'failure' });
          return;
        case 'reconciled':
          if (event.ok) success.set({ stage: 'reconciliation' }, Date.now() / 1000);
          return;
        case 'drift':
          for (const kind of event.keys) drift.inc({ kind });
          return;
        case 'recreated':
          drift.inc({ kind: 'deleted' });
          return;
        case 'overrides-invalid':
          overrides.inc();
          return;
        case 'removal-held':
          held.inc();
          return;
        case 'reconfigured':
          reloads.inc({ result: 'success' });
          reloaded.set(1);
          return;
        case 'configuration-refused':
          reloads.inc({ result: 'failure' });
          reloaded.set(0);
          return;
        case 'configuration-mended':
          reloaded.set(1);
          return;
        case 'rolled-back':
          rollbacks.inc();
      }
    },
  };
}

import { describe, expect, test, vi } from 'vitest';
import type { EngineEvent } from '../../src/controller/events.ts';
import { ReadModel } from '../../src/controller/read-model.ts';
import { explain } from '../../src/detection/explain.ts';
import { HOME_CLUSTER } from '../../src/model/key.ts';
import { type Service, serviceKey } from '../../src/model/service.ts';
import { OUTPUTS } from '../../src/outputs/registry.ts';
import { ScheduledProber } from '../../src/probing/scheduled-prober.ts';
import { api, type Backing } from '../../src/server/api.ts';
import { createApp } from '../../src/server/app.ts';
import type { Change, Source } from '../../src/sources/source.ts';
import { engineLog } from '../../src/telemetry/engine-log.ts';
import { engineMetrics } from '../../src/telemetry/engine-metrics.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { MetricSet } from '../../src/telemetry/metric-set.ts';
import { stateMetrics } from '../../src/telemetry/state-metrics.ts';
import { options, rules } from '../fixtures/unit/detection.ts';
import { enginesOnFakeTimers, HEALTHY } from '../fixtures/unit/engine.ts';
import { service } from '../fixtures/unit/service.ts';

const EAST = 'east';

const startEngine = enginesOnFakeTimers();

const loki = (cluster: string, name = 'loki'): Service =>
  service(name, {
    cluster,
    labels: { 'app.kubernetes.io/name': 'loki', 'app.kubernetes.io/instance': name },
    selector: { app: name },
    ports: ['http:3100'],
  });

/** The Services of some clusters, which report independently. */
class Clusters implements Source {
  readonly clusters: readonly string[];
  #emit: (change: Change) => void = () => {};

  constructor(...clusters: string[]) {
    this.clusters = clusters;
  }
  run(emit: (change: Change) => void, signal: AbortSignal): Promise<void> {
    this.#emit = emit;
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
  }
  sync(cluster: string, ...services: Service[]): void {
    const problems = [{ where: `Services of ${cluster || 'home'}`, what: 'may be incomplete' }];
    this.#emit({ kind: 'sync', ...named(cluster), services, stale: [], problems });
  }
  /** Lists a cluster without one namespace, which cannot be read. */
  syncWithout(cluster: string, namespace: string): void {
    this.#emit({ kind: 'sync', ...named(cluster), services: [], stale: [namespace], problems: [] });
  }
  fail(cluster: string): void {
    const error = new Error('it is away');
    this.#emit({ kind: 'failure', ...named(cluster), error, reason: 'network', retryIn: 1_000 });
  }
}

const named = (cluster: string) => (cluster === HOME_CLUSTER ? {} : { cluster });

type Line = Readonly<Record<string, unknown>>;

/** An engine with the log, the metrics and the read model of `serve`. */
function setting(...clusters: string[]) {
  const source = new Clusters(...clusters);
  const lines: Line[] = [];
  const { log } = createLogger(
    { logLevel: 'debug', logFormat: 'json' },
    { write: (text) => lines.push(JSON.parse(text)) },
  );
  const metrics = new MetricSet();
  const readModel = new ReadModel({ now: () => new Date() });
  const logged = engineLog(log);
  const { count } = engineMetrics(metrics, { known: () => true, documents: () => OUTPUTS.names });
  stateMetrics(metrics, {
    version: '1',
    leads: () => true,
    ready: () => readModel.ready,
    interval: () => 300_000,
    backends: () => readModel.backends.backends,
    disproven: () => readModel.disproven,
  });
  const tell = (event: EngineEvent): void => {
    logged(event);
    count(event);
    readModel.apply(event);
  };
  const sick = new Set<string>();
  const prober = new ScheduledProber(
    {
      probe: async ({ service: { cluster } }) =>
        sick.has(cluster)
          ? { ...HEALTHY, health: 'unhealthy', fault: 'connection', proof: 'unproven', reason: 'refused' }
          : HEALTHY,
    },
    { refreshInterval: 3_600_000, now: () => performance.now(), random: () => 0.5, emit: tell },
  );
  const stages = { rules, problems: [], prober, detection: options, maxBackends: 100 };
  return {
    ...startEngine({ source, stages, emit: tell }),
    source,
    sick,
    lines,
    log,
    readModel,
    /** The samples of metrics with some text in them. */
    async samples(part: string): Promise<string[]> {
      const all = (await metrics.registry.metrics()).split('\n');
      return all.filter((line) => line.startsWith('dynamic_toolset_') && line.includes(part));
    },
  };
}

describe('two clusters with a Service of the same namespace and name', () => {
  test('are two backends, each with its own id, tool and conditions', async () => {
    const { source, settle, readModel, publisher } = setting(HOME_CLUSTER, EAST);
    source.sync(HOME_CLUSTER, loki(HOME_CLUSTER));
    source.sync(EAST, loki(EAST));
    await settle();
    expect(readModel.backends.backends.map(({ id, tool }) => [id, tool])).toEqual([
      ['monitoring/loki', 'loki.monitoring'],
      ['east/monitoring/loki', 'loki.monitoring.east'],
    ]);
    expect(publisher.tools).toEqual(['loki.monitoring', 'loki.monitoring.east']);
    source.sync(EAST);
    await settle(400_000);
    expect(publisher.tools).toEqual(['loki.monitoring']);
  });

  test('are not published before both clusters are listed, so a restart removes no tools', async () => {
    const first = setting(HOME_CLUSTER, EAST);
    first.source.sync(EAST, loki(EAST));
    await first.settle(60_000);
    expect(first.publisher.applied).toEqual([]);
    first.source.sync(HOME_CLUSTER, loki(HOME_CLUSTER));
    await first.settle();
    expect(first.publisher.tools).toEqual(['loki.monitoring', 'loki.monitoring.east']);
  });

  test('after a change of options, an unreadable namespace of one cluster keeps its tools', async () => {
    const { engine, all, source, settle, publisher } = setting(HOME_CLUSTER, EAST);
    source.sync(HOME_CLUSTER, loki(HOME_CLUSTER));
    source.sync(EAST, loki(EAST));
    await settle();
    engine.reconfigure({ ...all, version: '2' });
    await settle();
    source.sync(HOME_CLUSTER, loki(HOME_CLUSTER, 'logs'));
    source.syncWithout(EAST, 'monitoring');
    await settle(400_000);
    expect(publisher.tools).toEqual(['logs.monitoring', 'loki.monitoring.east']);
  });

  test('a problem of one cluster stays while the other is listed again', async () => {
    const { source, settle, readModel } = setting(HOME_CLUSTER, EAST);
    source.sync(HOME_CLUSTER, loki(HOME_CLUSTER));
    source.sync(EAST, loki(EAST));
    source.sync(EAST, loki(EAST));
    await settle();
    expect(readModel.discoveryProblems.map(({ where }) => where)).toEqual([
      'Services of home',
      'Services of east',
    ]);
  });

  test('only metrics of the second cluster have the label cluster', async () => {
    const { source, settle, sick, samples } = setting(HOME_CLUSTER, EAST);
    sick.add(EAST);
    source.sync(HOME_CLUSTER, loki(HOME_CLUSTER));
    source.sync(EAST, loki(EAST));
    source.fail(EAST);
    await settle();
    expect(await samples('cluster="east"')).toEqual([
      'dynamic_toolset_services_discovered_total{type="loki",namespace="monitoring",cluster="east"} 1',
      'dynamic_toolset_services_unhealthy{type="loki",cluster="east"} 1',
      'dynamic_toolset_discovery_errors_total{type="all",reason="network",cluster="east"} 1',
      'dynamic_toolset_health_check_failures_total{type="loki",reason="connection",cluster="east"} 1',
      'dynamic_toolset_backend_conditions{condition="Detected",status="True",reason="RecommendedLabel",cluster="east"} 1',
      'dynamic_toolset_backend_conditions{condition="Proven",status="Unknown",reason="NoProof",cluster="east"} 1',
      'dynamic_toolset_backend_conditions{condition="Healthy",status="False",reason="ConnectionFailed",cluster="east"} 1',
      'dynamic_toolset_backend_conditions{condition="Published",status="False",reason="Unhealthy",cluster="east"} 1',
    ]);
    expect(await samples('services_healthy')).toEqual(['dynamic_toolset_services_healthy{type="loki"} 1']);
    expect(await samples('condition="Healthy",status="True"')).toEqual([
      'dynamic_toolset_backend_conditions{condition="Healthy",status="True",reason="ProbeSucceeded"} 1',
    ]);
  });

  test('only log lines about the second cluster have the field cluster', async () => {
    const { source, settle, lines } = setting(HOME_CLUSTER, EAST);
    source.sync(HOME_CLUSTER, loki(HOME_CLUSTER));
    source.sync(EAST, loki(EAST));
    source.fail(EAST);
    await settle();
    const of = (message: string) =>
      lines
        .filter((line) => String(line.message).startsWith(message))
        .map(({ cluster, namespace, service_name }) => [cluster, namespace, service_name]);
    expect(of('backend discovered')).toEqual([
      [undefined, 'monitoring', 'loki'],
      [EAST, 'monitoring', 'loki'],
    ]);
    expect(of('Services cannot be read, so the last known ones are kept')).toEqual([
      [EAST, undefined, undefined],
    ]);
  });

  test('explain and the API tell them apart', async () => {
    const both = [loki(HOME_CLUSTER), loki(EAST)];
    for (const { cluster, namespace, name } of both) {
      const explanation = explain(both, serviceKey({ cluster, namespace, name }), rules, options);
      expect(explanation?.candidate?.service.cluster).toBe(cluster);
      expect(explanation?.candidate?.fallbacks).toEqual([]);
    }
    const { source, settle, stop, readModel, log } = setting(HOME_CLUSTER, EAST);
    source.sync(HOME_CLUSTER, loki(HOME_CLUSTER));
    source.sync(EAST, loki(EAST));
    await settle();
    await stop();
    vi.useRealTimers();
    const backing = { readModel, types: () => ['loki'] } as unknown as Backing;
    const app = await createApp({
      log,
      component: 'api_server',
      answered: () => {},
      routes: api(backing, log, async () => true),
    });
    const get = async (path: string) => (await app.inject({ url: `/api/v1/${path}` })).json();
    const summary = ({ id, cluster, name }: Line) => [id, cluster, name];
    const { services } = await get('services?namespace=monitoring');
    expect(services.map(summary)).toEqual([
      ['east/monitoring/loki', EAST, 'loki'],
      ['monitoring/loki', undefined, 'loki'],
    ]);
    const page = await get('services?limit=1');
    const rest = await get(page.next.replace('/api/v1/', ''));
    expect([...page.services, ...rest.services].map(summary)).toEqual(services.map(summary));
    const { toolsets } = await get('toolsets');
    expect(toolsets.map(({ name, backend, cluster }: Line) => [name, backend, cluster])).toEqual([
      ['loki.monitoring', 'monitoring/loki', undefined],
      ['loki.monitoring.east', 'east/monitoring/loki', EAST],
    ]);
    expect(await get('toolsets/loki.monitoring.east')).toMatchObject({ backend: 'east/monitoring/loki' });
    await app.close();
  });
});

test('with one cluster, no label or field is named cluster', async () => {
  const { source, settle, sick, samples, lines, publisher } = setting(HOME_CLUSTER);
  source.sync(HOME_CLUSTER, loki(HOME_CLUSTER), loki(HOME_CLUSTER, 'logs'));
  await settle();
  sick.add(HOME_CLUSTER);
  source.fail(HOME_CLUSTER);
  await settle();
  expect((await samples('')).length).toBeGreaterThan(20);
  expect(await samples('cluster=')).toEqual([]);
  expect(lines.length).toBeGreaterThan(3);
  expect(lines.filter((line) => 'cluster' in line)).toEqual([]);
  expect(JSON.stringify(publisher.live)).not.toContain('cluster"');
});

import type { Gauge } from 'prom-client';
import type { EngineEvent } from '../controller/events.ts';
import type { DiscoveredService, Problem, Verdict } from '../model/discovery.ts';
import { DOCUMENT_KEYS, type Documents, LIMIT_NAMES } from '../model/documents.ts';
import { FAILURE_REASONS } from '../model/failure-reason.ts';
import { serviceKey } from '../model/service.ts';
import { bounded, type MetricSet } from './metric-set.ts';

/** Metrics of what the engine does. Names of Services and texts of tenants are never labels. */
export interface EngineMetrics {
  count(event: EngineEvent): void;
}

export interface EngineMetricsOptions {
  /** Types that may be labels: those of detectors; a tenant's own words are `other`. */
  readonly known: (type: string) => boolean;
  /** Milliseconds on the clock of `performance.now`. */
  readonly now?: () => number;
}

type Of<K extends EngineEvent['kind']> = Extract<EngineEvent, { kind: K }>;
type Counters = { readonly [K in EngineEvent['kind']]?: (event: Of<K>) => void };

/** Most namespaces that are labels of their own. */
const NAMESPACES = 200;
/** Upper bounds in seconds: of probes, of passes and publications, of what costs no waiting. */
const PROBES = [0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const PASSES = [0.005, 0.02, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const COMPUTING = [0.0001, 0.0005, 0.001, 0.005, 0.02, 0.1, 0.5, 1];

const SECOND = 1000;

/** How many of something there are by a label's value; values that none are left of are gone. */
function setCounts(gauge: Gauge<'type'>, types: readonly string[]): void {
  gauge.reset();
  for (const type of types) gauge.inc({ type });
}

/** Why a verdict is a failure, in one word; nothing where it is none. */
function failureOf(verdict: Verdict): string | undefined {
  if (verdict.proof === 'contradicted') return 'contradicted';
  if (verdict.health === 'healthy') return undefined;
  return verdict.fault ?? (verdict.health === 'unknown' ? 'unreachable' : 'status');
}

/** Types of the tools in a published document. */
function toolTypes(documents: Documents | undefined): string[] {
  if (documents === undefined) return [];
  const { tools } = JSON.parse(documents['toolset.json']) as { readonly tools: readonly { type: string }[] };
  return tools.map(({ type }) => type);
}

const isOfOverrides = ({ where }: Problem): boolean => where.startsWith('overrides.yaml');

function discoveryMetrics(set: MetricSet, typeOf: (type: string) => string): Counters {
  const namespaceOf = bounded(NAMESPACES);
  const discovered = set.counter(
    'services_discovered_total',
    `Discovered backends. A backend that changes is not counted again; namespaces after the first ${NAMESPACES} are "other".`,
    ['type', 'namespace'],
  );
  const healthy = set.gauge('services_healthy', 'Healthy backends.', ['type']);
  const unhealthy = set.gauge('services_unhealthy', 'Unhealthy backends.', ['type']);
  const duration = set.histogram(
    'discovery_duration_seconds',
    'Duration of a full discovery, including probes.',
    PASSES,
  );
  const detecting = set.histogram(
    'detector_duration_seconds',
    'CPU time of the detectors in one discovery, without probes.',
    COMPUTING,
  );
  const errors = set.counter(
    'discovery_errors_total',
    'Discovery errors: the source failed (type "all"), or a probe failed because of a bug.',
    ['type', 'reason'],
  );
  const denied = set.gauge('namespaces_denied', 'Namespaces where listing Services is denied.');
  const events = set.counter('watch_events_total', 'Changes of Services that watches reported.', ['kind']);
  const restarts = set.counter(
    'watch_restarts_total',
    'Restarts of Service watches: "ended" normally by the server, "lost" with the connection, or after an error.',
    ['reason'],
  );
  for (const kind of ['upsert', 'delete']) events.inc({ kind }, 0);
  for (const reason of FAILURE_REASONS) errors.inc({ type: 'all', reason }, 0);
  return {
    pass({ full, before, services, milliseconds, detecting: spent }) {
      const old = new Set(before.map(({ service }) => serviceKey(service)));
      for (const each of services)
        if (!old.has(serviceKey(each.service)))
          discovered.inc({ type: typeOf(each.type), namespace: namespaceOf(each.service.namespace) });
      const of = (health: DiscoveredService['verdict']['health']): string[] =>
        services.filter(({ verdict }) => verdict.health === health).map(({ type }) => typeOf(type));
      setCounts(healthy, of('healthy'));
      setCounts(unhealthy, of('unhealthy'));
      if (full) duration.observe(milliseconds / SECOND);
      detecting.observe(spent / SECOND);
    },
    'source-failed': ({ reason }) => errors.inc({ type: 'all', reason }),
    probed({ type, verdict }) {
      if (verdict === undefined) errors.inc({ type: typeOf(type), reason: 'bug' });
    },
    'namespaces-denied': ({ count }) => denied.set(count),
    'watch-event': ({ change: kind }) => events.inc({ kind }),
    'watch-ended': ({ reason }) => restarts.inc({ reason }),
  };
}

function probeMetrics(set: MetricSet, typeOf: (type: string) => string): Counters {
  const failures = set.counter(
    'health_check_failures_total',
    'Probes that did not find a healthy backend of the expected type. "unreachable": the route does not lead there, so health is unknown. "resolution": its name does not resolve; "connection": no connection; "tls": no TLS; "protocol": invalid response; "timeout": no response in time; "not_ready": no ready Pod; "refused": a forbidden address; "status": the status of the response.',
    ['type', 'reason'],
  );
  const duration = set.histogram(
    'health_check_duration_seconds',
    'Duration of a probe, without queueing.',
    PROBES,
    ['type'],
  );
  const inflight = set.gauge('probe_inflight', 'Probes in progress.');
  const outages = set.gauge(
    'probe_outage',
    '1 if no backend is reachable, otherwise 0. The cause is then probably the DNS or the network of this process.',
    ['cause'],
  );
  for (const cause of ['dns', 'network']) outages.set({ cause }, 0);
  return {
    outage({ outage }) {
      for (const cause of ['dns', 'network']) outages.set({ cause }, cause === outage ? 1 : 0);
    },
    'probe-began': () => inflight.inc(),
    'probe-ended'({ type, milliseconds }) {
      inflight.dec();
      duration.observe({ type: typeOf(type) }, milliseconds / SECOND);
    },
    probed({ type, verdict }) {
      const reason = verdict === undefined ? undefined : failureOf(verdict);
      if (reason !== undefined) failures.inc({ type: typeOf(type), reason });
    },
  };
}

function publicationMetrics(set: MetricSet, typeOf: (type: string) => string, now: () => number): Counters {
  const updates = set.counter(
    'configmap_updates_total',
    'Publications that changed the ConfigMap ("success"), and attempts that failed ("failure").',
    ['result'],
  );
  const duration = set.histogram(
    'configmap_reconcile_duration_seconds',
    'Duration of a reconciliation, including the publication if there was one.',
    PASSES,
  );
  const latency = set.histogram(
    'change_to_publish_seconds',
    'Time from the change of a Service to the updated ConfigMap; for several changes, from the first one.',
    PASSES,
  );
  const drift = set.counter(
    'configmap_drift_detected_total',
    'External changes of generated documents, by document, or "deleted" for the whole ConfigMap. They were reverted.',
    ['kind'],
  );
  const generations = set.counter(
    'generations_total',
    'Generated documents; "failure" if overrides.yaml is invalid, so the last documents stay.',
    ['document', 'result'],
  );
  let documents: Documents | undefined;
  let counted: Documents | undefined;
  set.gauge('tools_count', 'Published tools.', ['type'], (gauge) => {
    if (counted !== documents) setCounts(gauge, toolTypes(documents).map(typeOf));
    counted = documents;
  });
  const overrides = set.counter('override_errors_total', 'Times that overrides.yaml became invalid.');
  const valid = set.gauge(
    'overrides_valid',
    '1 if overrides.yaml was valid when the leader last read it, otherwise 0. Followers do not read it.',
  );
  valid.set(1);
  const conflicts = set.counter(
    'override_conflicts_total',
    'Entries of overrides.yaml that are newly ignored: they change a tool that does not exist, or HolmesGPT would reject them.',
  );
  const held = set.counter(
    'removals_held_total',
    'Times that a removal of tools was held: most tools at once, or, with --once, after one failed probe.',
  );
  const rollbacks = set.counter(
    'rollbacks_total',
    'Publications that were rolled back because they were unusable.',
  );
  const waiting = set.gauge(
    'approvals_waiting',
    'MCP servers and annotated Services that wait for approval. Followers do not count them.',
  );
  const toolChanges = set.counter(
    'mcp_tool_changes_total',
    'Times that the tools of a published MCP server changed.',
  );
  const limited = set.gauge(
    'tools_limited',
    "Tools that a limit keeps out of the documents, or whose owner's description it drops, by limit.",
    ['limit'],
  );
  for (const limit of LIMIT_NAMES) limited.set({ limit }, 0);
  const revision = set.gauge('revision', 'Number of the newest revision; 0 if there is none.');
  const history = set.gauge(
    'history_last_write_successful',
    '1 if the published documents are in the history, 0 if writing them failed. Followers do not write the history.',
  );
  history.set(1);
  for (const result of ['success', 'failure']) {
    updates.inc({ result }, 0);
    for (const document of DOCUMENT_KEYS) generations.inc({ document, result }, 0);
  }
  for (const kind of [...DOCUMENT_KEYS, 'deleted']) drift.inc({ kind }, 0);
  let changedAt: number | undefined;
  let known = new Set<string>();
  return {
    pass(event) {
      changedAt ??= event.changedAt;
    },
    generated({ ok }) {
      valid.set(ok ? 1 : 0);
      for (const document of DOCUMENT_KEYS) generations.inc({ document, result: ok ? 'success' : 'failure' });
    },
    published() {
      updates.inc({ result: 'success' });
      if (changedAt !== undefined) latency.observe((now() - changedAt) / SECOND);
      changedAt = undefined;
    },
    'publish-failed': () => updates.inc({ result: 'failure' }),
    reconciled({ ok, milliseconds, problems, ...event }) {
      history.set(event.recorded ? 1 : 0);
      duration.observe(milliseconds / SECOND);
      const left = problems.filter(isOfOverrides).map(({ where, what }) => `${where} ${what}`);
      conflicts.inc(left.filter((line) => !known.has(line)).length);
      known = new Set(left);
      for (const limit of event.cuts === undefined ? [] : LIMIT_NAMES)
        limited.set({ limit }, event.cuts?.filter((cut) => cut.limit === limit).length ?? 0);
      if (!ok) return;
      // What changed is of no consequence for what is published.
      changedAt = undefined;
      documents = event.documents;
      revision.set(event.revision ?? 0);
    },
    drift({ keys }) {
      for (const kind of keys) drift.inc({ kind });
    },
    recreated: () => drift.inc({ kind: 'deleted' }),
    'overrides-invalid': () => overrides.inc(),
    'removal-held': () => held.inc(),
    'approvals-waiting': (event) => waiting.set(event.waiting.length),
    'tools-changed': () => toolChanges.inc(),
    'rolled-back': () => rollbacks.inc(),
  };
}

function configurationMetrics(set: MetricSet): Counters {
  const reloads = set.counter('config_reloads_total', 'Configuration changes, by result.', ['result']);
  const reloaded = set.gauge(
    'config_last_reload_successful',
    '1 if the current configuration is in force, 0 if it is invalid.',
  );
  for (const result of ['success', 'failure']) reloads.inc({ result }, 0);
  reloaded.set(1);
  return {
    reconfigured() {
      reloads.inc({ result: 'success' });
      reloaded.set(1);
    },
    'configuration-refused'() {
      reloads.inc({ result: 'failure' });
      reloaded.set(0);
    },
    'configuration-mended': () => reloaded.set(1),
  };
}

function successMetrics(set: MetricSet): Counters {
  const success = set.gauge(
    'last_success_timestamp_seconds',
    'Unix time when a stage last succeeded. Followers do not reconcile.',
    ['stage'],
  );
  const mark = (stage: string): void => success.set({ stage }, Date.now() / SECOND);
  return {
    // What is asked again while the Services cannot be read is no discovery.
    pass({ full }) {
      if (full) mark('discovery');
    },
    reconciled({ ok }) {
      if (ok) mark('reconciliation');
    },
  };
}

/** Makes the engine's metrics in a set. */
export function engineMetrics(
  set: MetricSet,
  { known, now = () => performance.now() }: EngineMetricsOptions,
): EngineMetrics {
  const typeOf = (type: string): string => (known(type) ? type : 'other');
  const all: readonly Counters[] = [
    discoveryMetrics(set, typeOf),
    probeMetrics(set, typeOf),
    publicationMetrics(set, typeOf, now),
    configurationMetrics(set),
    successMetrics(set),
  ];
  return {
    count(event) {
      for (const counters of all)
        (counters[event.kind] as ((event: EngineEvent) => void) | undefined)?.(event);
    },
  };
}

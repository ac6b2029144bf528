import type { Row } from './panel.ts';
import { BACKENDS, increase, ours, quantile, rate, SEVERAL_DISCOVERIES } from './queries.ts';

export const found: Row = {
  title: 'Discovery',
  panels: [
    {
      title: 'Backends by type',
      kind: 'graph',
      queries: [[`max by (type) (sum by (job, instance, type) (${BACKENDS}))`, '{{type}}']],
      meaning:
        'Backends with known health. If a type drops to zero, its Services are gone, opted out, or no longer recognized; `dynamic-toolset explain` shows which.',
      alert: 'DynamicToolsetNoTools',
    },
    {
      title: 'Healthy share',
      kind: 'graph',
      queries: [[`(sum(${ours('services_healthy')}) or vector(0)) / sum(${BACKENDS})`, 'healthy']],
      meaning: 'Share of healthy backends. Below 95 %: see "Unhealthy backends" for the types.',
      alert: 'DynamicToolsetManyUnhealthy',
      unit: 'percentunit',
      goodFrom: 0.95,
    },
    {
      title: 'Unhealthy backends',
      kind: 'graph',
      queries: [[`max by (type) (${ours('services_unhealthy')})`, '{{type}}']],
      meaning:
        'Unhealthy backends, which are not published. `dynamic-toolset discover -o wide` shows how each one responded.',
      alert: 'DynamicToolsetManyUnhealthy',
      none: 'none',
    },
    {
      title: 'Discovery success',
      kind: 'graph',
      queries: [
        [
          `sum(increase(${ours('discovery_duration_seconds_count')}[${SEVERAL_DISCOVERIES}])) / (sum(increase(${ours('discovery_duration_seconds_count')}[${SEVERAL_DISCOVERIES}])) + sum(increase(${ours('discovery_errors_total', 'type="all"')}[${SEVERAL_DISCOVERIES}])))`,
          'success',
        ],
      ],
      meaning:
        'Share of successful discoveries in the last 30 minutes. Below 1: the API server could not be read; "Discovery failures" shows why.',
      alert: 'DynamicToolsetDiscoveryStale',
      unit: 'percentunit',
      goodFrom: 0.99,
    },
    {
      title: 'Discovery time',
      kind: 'graph',
      queries: [
        [quantile(0.95, 'discovery_duration_seconds', '', '', SEVERAL_DISCOVERIES), 'p95'],
        [quantile(0.5, 'discovery_duration_seconds', '', '', SEVERAL_DISCOVERIES), 'p50'],
        [quantile(0.95, 'detector_duration_seconds', '', '', SEVERAL_DISCOVERIES), 'p95, detectors only'],
      ],
      meaning:
        'Duration of a full discovery, including probes. Above 10 s: backends are slow or do not answer; see "Probe time".',
      alert: 'DynamicToolsetDiscoverySlow',
      unit: 's',
      badFrom: 10,
    },
    {
      title: 'Discovery failures',
      kind: 'graph',
      queries: [
        [`sum by (type, reason) (${increase(ours('discovery_errors_total'))})`, '{{reason}} ({{type}})'],
      ],
      meaning:
        'Reasons for failed discoveries. "denied", "unauthenticated": permissions or token; "network", "timeout", "server_error": the API server; "bug": report it.',
      alert: 'DynamicToolsetDiscoveryStale',
    },
    {
      title: 'Failed probes',
      kind: 'graph',
      queries: [
        [`sum by (type, reason) (${rate(ours('health_check_failures_total'))})`, '{{type}}: {{reason}}'],
      ],
      meaning:
        'Failed probes per second. "unreachable" says nothing about a backend: the route does not lead there. A backend that has been down for long is probed less often.',
      alert: 'DynamicToolsetManyUnhealthy',
      unit: 'cps',
      none: 'none',
    },
    {
      title: 'No backend reached',
      kind: 'graph',
      queries: [[`max by (cause) (${ours('probe_outage')})`, '{{cause}}']],
      meaning:
        '1 while no backend is reachable: a "dns" or "network" problem of this process. Published tools stay.',
      alert: 'DynamicToolsetProbeOutage',
      badFrom: 1,
    },
    {
      title: 'Probe time',
      kind: 'graph',
      queries: [[quantile(0.95, 'health_check_duration_seconds', ', type'), 'p95 {{type}}']],
      meaning: 'Time that backends take to answer a probe. Probes time out after 5 s.',
      alert: 'DynamicToolsetDiscoverySlow',
      unit: 's',
      badFrom: 5,
    },
    {
      title: 'Probes in progress',
      kind: 'graph',
      queries: [[`max by (instance) (${ours('probe_inflight')})`, '{{instance}}']],
      meaning: 'Probes in progress. Always at 32: probes are waiting in the queue.',
      alert: 'DynamicToolsetDiscoverySlow',
      badFrom: 32,
    },
    {
      title: 'Why backends are not published',
      kind: 'graph',
      queries: [
        [
          `max by (reason) (sum by (job, instance, reason) (${ours('backend_conditions', 'condition="Published", status="False"')}))`,
          '{{reason}}',
        ],
      ],
      meaning:
        'Backends by the reason of the condition Published. "Unhealthy" and "NotProven" point at the backends ("explain" shows their answers), "NotApproved" and "NeedsCredentials" need you to act, "LimitReached" names a limit in the log.',
      alert: 'DynamicToolsetBackendsMissing',
      none: 'all published',
    },
    {
      title: 'New backends',
      kind: 'graph',
      queries: [
        [
          `max by (type) (sum by (job, instance, type) (${increase(ours('services_discovered_total'))}))`,
          '{{type}}',
        ],
      ],
      meaning:
        'Newly discovered backends; after a start, all of them. Without a start or a rollout in the cluster, the same backends are flapping.',
      alert: 'DynamicToolsetManyUnhealthy',
    },
    {
      title: 'Changes of Services',
      kind: 'graph',
      queries: [[`max by (kind) (${rate(ours('watch_events_total'))})`, '{{kind}}']],
      meaning:
        'Changes per second that watches reported. None in a busy cluster: watches are denied, and changes appear only at the next resync.',
      alert: 'DynamicToolsetWatchesFail',
      unit: 'cps',
    },
    {
      title: 'Watch restarts',
      kind: 'graph',
      queries: [[`sum by (reason) (${increase(ours('watch_restarts_total'))})`, '{{reason}}']],
      meaning:
        '"ended" is normal: the API server ends watches from time to time. Other reasons, repeatedly: changes appear late.',
      alert: 'DynamicToolsetWatchesFail',
      none: 'none',
    },
  ],
};

import type { Row } from './panel.ts';
import { BACKENDS, increase, ours, quantile, rate, SEVERAL_DISCOVERIES } from './queries.ts';

export const found: Row = {
  title: 'What was found',
  panels: [
    {
      title: 'Backends by type',
      kind: 'graph',
      queries: [[`max by (type) (sum by (job, instance, type) (${BACKENDS}))`, '{{type}}']],
      meaning:
        'Backends whose health is known. A type that drops to nothing: its Services are gone, opted out, or no longer recognised; `dynamic-toolset explain` tells which.',
      alert: 'DynamicToolsetNoTools',
    },
    {
      title: 'Healthy share',
      kind: 'graph',
      queries: [[`(sum(${ours('services_healthy')}) or vector(0)) / sum(${BACKENDS})`, 'healthy']],
      meaning:
        'Share of the backends that are healthy. Below 95 %: look at "Unhealthy backends" for the types.',
      alert: 'DynamicToolsetManyUnhealthy',
      unit: 'percentunit',
      goodFrom: 0.95,
    },
    {
      title: 'Unhealthy backends',
      kind: 'graph',
      queries: [[`max by (type) (${ours('services_unhealthy')})`, '{{type}}']],
      meaning:
        'Backends that are unhealthy now, so they are not offered. `dynamic-toolset discover -o wide` tells what each one answered.',
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
        'Share of the looks at all Services that worked, in the last 30 minutes. Below 1: the API server could not be read; "Discovery failures" tells why.',
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
        [quantile(0.95, 'detector_duration_seconds', '', '', SEVERAL_DISCOVERIES), 'p95, computing alone'],
      ],
      meaning:
        'Time of a look at all Services, probes included. Over 10 s: backends answer late or not at all; see "Probe time".',
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
        'What kept Services from being discovered. "denied", "unauthenticated": rights or token; "network", "timeout", "server_error": the API server; "bug": report it.',
      alert: 'DynamicToolsetDiscoveryStale',
    },
    {
      title: 'Failed probes',
      kind: 'graph',
      queries: [
        [`sum by (type, reason) (${rate(ours('health_check_failures_total'))})`, '{{type}}: {{reason}}'],
      ],
      meaning:
        'Failed probes a second. "unreachable" says nothing of a backend: the route does not lead there. A backend that is down for long is asked seldom.',
      alert: 'DynamicToolsetManyUnhealthy',
      unit: 'cps',
      none: 'none',
    },
    {
      title: 'No backend reached',
      kind: 'graph',
      queries: [[`max by (cause) (${ours('probe_outage')})`, '{{cause}}']],
      meaning:
        '1 while no backend at all can be reached: "dns" or "network" of this process. What is published stays.',
      alert: 'DynamicToolsetProbeOutage',
      badFrom: 1,
    },
    {
      title: 'Probe time',
      kind: 'graph',
      queries: [[quantile(0.95, 'health_check_duration_seconds', ', type'), 'p95 {{type}}']],
      meaning: 'Time in which backends answer a probe. At 5 s a probe is given up.',
      alert: 'DynamicToolsetDiscoverySlow',
      unit: 's',
      badFrom: 5,
    },
    {
      title: 'Probes under way',
      kind: 'graph',
      queries: [[`max by (instance) (${ours('probe_inflight')})`, '{{instance}}']],
      meaning: 'Backends that are being asked. At 32 all the time: probes wait for their turn.',
      alert: 'DynamicToolsetDiscoverySlow',
      badFrom: 32,
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
        'Backends that were discovered; after a start all of them. Without a start or a roll-out in the cluster: the same ones come and go.',
      alert: 'DynamicToolsetManyUnhealthy',
    },
    {
      title: 'Changes of Services',
      kind: 'graph',
      queries: [[`max by (kind) (${rate(ours('watch_events_total'))})`, '{{kind}}']],
      meaning:
        'Changes that the watches told, a second. None in a busy cluster: the watches are denied, and changes show with the next discovery only.',
      alert: 'DynamicToolsetWatchesFail',
      unit: 'cps',
    },
    {
      title: 'Watches that began anew',
      kind: 'graph',
      queries: [[`sum by (reason) (${increase(ours('watch_restarts_total'))})`, '{{reason}}']],
      meaning:
        '"ended" is ordinary: the API server ends watches from time to time. Another reason again and again: changes show late.',
      alert: 'DynamicToolsetWatchesFail',
      none: 'none',
    },
  ],
};

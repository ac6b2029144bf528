import { type AlertCase, both, type Firing, FOLLOWER, INSTALLATION, LEADER } from './alert-case.ts';
import {
  A,
  always,
  B,
  ending,
  found,
  HEALTHY,
  half,
  healthyOf,
  ours,
  replica,
  STEPS,
  TOOLS,
} from './installation.ts';

const down = (instance: string): Firing => ({
  labels: { ...INSTALLATION, instance },
  description: `${instance} of job toolset has not answered a scrape for 2 minutes.`,
});

/** Faults of processes and of discovery. Most begin after half an hour. */
export const DISCOVERY: readonly AlertCase[] = [
  {
    name: 'no replica answers any more',
    change: { ...ending(HEALTHY), [`up{${A}}`]: half('1', '0'), [`up{${B}}`]: half('1', '0') },
    fires: {
      DynamicToolsetDown: [
        {
          labels: {},
          description:
            'No replica could be scraped for 5 minutes. The last published toolset stays, but is no longer updated.',
        },
      ],
      DynamicToolsetReplicaDown: [down('a'), down('b')],
    },
  },
  {
    name: 'no replica was ever there',
    change: Object.fromEntries(Object.keys(HEALTHY).map((name) => [name, null])),
    at: '5m',
    fires: {
      DynamicToolsetDown: [
        {
          labels: {},
          description:
            'No replica could be scraped for 5 minutes. The last published toolset stays, but is no longer updated.',
        },
      ],
    },
  },
  {
    name: 'one replica does not answer any more',
    change: { ...ending({ ...replica(B, false), ...found(B) }), [`up{${B}}`]: half('1', '0') },
    at: '33m',
    fires: { DynamicToolsetReplicaDown: [down('b')] },
  },
  {
    name: 'a container keeps restarting',
    change: { [`process_start_time_seconds{${B}}`]: '0x110 3300x2 3400x2 3500x2 3600x120' },
    fires: {
      DynamicToolsetRestarts: [{ labels: FOLLOWER, description: 'b restarted 4 times in 30 minutes.' }],
    },
  },
  {
    name: 'a replica does not become ready',
    change: { [ours('ready', `${B}, check="discovery"`)]: half('1', '0') },
    fires: {
      DynamicToolsetNotReady: [
        {
          labels: { ...FOLLOWER, check: 'discovery' },
          description: 'b has failed the check discovery of /ready for 10 minutes.',
        },
      ],
    },
  },
  {
    name: 'no replica leads',
    change: { [ours('leader', A)]: half('1', '0'), [TOOLS]: half('5', '5') },
    fires: {
      DynamicToolsetNoLeader: [
        {
          labels: INSTALLATION,
          description:
            'No replica in namespace ops has been the leader for 3 minutes. The last published toolset stays, but is no longer updated.',
        },
      ],
    },
  },
  {
    name: 'two replicas lead',
    change: {
      [ours('leader', B)]: always(1),
      [ours('last_success_timestamp_seconds', `${B}, stage="reconciliation"`)]: `0+30x${STEPS}`,
      [ours('tools_count', `${B}, type="prometheus"`)]: always(5),
    },
    fires: {
      DynamicToolsetSeveralLeaders: [
        {
          labels: INSTALLATION,
          description: '2 replicas in namespace ops have published at the same time for 10 minutes.',
        },
      ],
    },
  },
  {
    name: 'the configuration is invalid',
    change: { [ours('config_last_reload_successful', B)]: half('1', '0') },
    fires: {
      DynamicToolsetConfigurationRefused: [
        {
          labels: INSTALLATION,
          description:
            'The configuration in namespace ops has had an error for 5 minutes. The previous configuration stays in force until the next restart.',
        },
      ],
    },
  },
  {
    name: 'Services cannot be read any more',
    change: { [ours('last_success_timestamp_seconds', `${A}, stage="discovery"`)]: '0+30x59 1800x180' },
    fires: {
      DynamicToolsetDiscoveryStale: [
        { labels: LEADER, description: 'The leader a completed its last discovery 30m 0s ago.' },
      ],
    },
  },
  {
    name: 'Services could never be read',
    change: { [ours('last_success_timestamp_seconds', `${A}, stage="discovery"`)]: null },
    at: '20m',
    fires: {
      DynamicToolsetDiscoveryStale: [
        { labels: LEADER, description: 'The leader a completed its last discovery 20m 0s ago.' },
      ],
    },
  },
  {
    name: 'Services cannot be read, and the discovery interval is 10 minutes',
    change: {
      ...both('discovery_interval_seconds', always(600)),
      [ours('last_success_timestamp_seconds', `${A}, stage="discovery"`)]: always(0),
    },
    at: '33m',
    fires: {
      DynamicToolsetDiscoveryStale: [
        { labels: LEADER, description: 'The leader a completed its last discovery 33m 0s ago.' },
      ],
    },
  },
  {
    name: 'backends are slow',
    change: both('discovery_duration_seconds_sum', `0+90x${STEPS}`),
    fires: {
      DynamicToolsetDiscoverySlow: [
        {
          labels: INSTALLATION,
          description: 'Over the last 30 minutes, a discovery in namespace ops took 1m 30s on average.',
        },
      ],
    },
  },
  {
    name: 'namespaces are denied',
    change: both('namespaces_denied', half('0', '2')),
    fires: {
      DynamicToolsetNamespacesDenied: [
        {
          labels: INSTALLATION,
          description:
            'Listing Services in 2 namespaces has been denied for 15 minutes. Their backends are not published.',
        },
      ],
    },
  },
  {
    name: 'watches are denied',
    change: both('watch_restarts_total', `0+1x${STEPS}`, ', reason="denied"'),
    fires: {
      DynamicToolsetWatchesFail: [
        {
          labels: INSTALLATION,
          description: 'For half an hour, watches were lost 60 times in 15 minutes. Changes appear late.',
        },
      ],
    },
  },
  {
    name: 'some backends of many fail',
    change: both('services_unhealthy', half('1', '2'), ', type="loki"'),
    fires: {
      DynamicToolsetManyUnhealthy: [
        {
          labels: INSTALLATION,
          description:
            '28.57% of the discovered backends have been unhealthy for 10 minutes. They are not published.',
        },
      ],
    },
  },
  {
    name: 'all backends fail, and the tools are removed',
    change: {
      ...ending({ ...healthyOf(A), ...healthyOf(B), [TOOLS]: always(5) }),
      ...both('services_unhealthy', half('1', '6'), ', type="loki"'),
      [ours('removals_held_total', A)]: '0x115 1x125',
    },
    fires: {
      DynamicToolsetManyUnhealthy: [
        {
          labels: INSTALLATION,
          description:
            '100% of the discovered backends have been unhealthy for 10 minutes. They are not published.',
        },
      ],
      DynamicToolsetNoTools: [
        {
          labels: LEADER,
          description:
            'The toolset in namespace ops has been empty for 15 minutes, but had tools within the last day.',
        },
      ],
      DynamicToolsetRemovalHeld: [
        {
          labels: INSTALLATION,
          description:
            'Their backends are gone, unusable or beyond a limit. The tools stay published for REMOVAL_HOLD, 5 minutes by default, and are then removed.',
        },
      ],
    },
  },
  {
    name: 'no name of a backend resolves',
    change: { [ours('probe_outage', `${A}, cause="dns"`)]: half('0', '1') },
    fires: {
      DynamicToolsetProbeOutage: [
        {
          labels: { ...INSTALLATION, cause: 'dns' },
          description: 'No backend has been reachable for 5 minutes; the cause is dns. Published tools stay.',
        },
      ],
    },
  },
];

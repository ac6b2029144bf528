import type { AlertCase } from './alert-case.ts';
import {
  A,
  always,
  B,
  beginning,
  C,
  ending,
  found,
  fresh,
  HEALTHY,
  half,
  NO_BACKENDS,
  ours,
  replica,
  STEPS,
  TOOLS,
} from './installation.ts';

/** What is no fault, so no alert may fire. */
export const SILENT: readonly AlertCase[] = [
  ...['1m', '20m', '1h', '2h'].map((at): AlertCase => ({ name: 'all is well', change: {}, at, fires: {} })),
  ...['2m', '6m', '20m', '1h'].map(
    (at): AlertCase => ({
      name: 'a fresh installation in a cluster without backends',
      change: fresh({ ...HEALTHY, ...NO_BACKENDS }),
      at,
      fires: {},
    }),
  ),
  ...['30m', '31m', '33m', '40m', '1h'].map(
    (at): AlertCase => ({
      name: 'leadership moves to the other replica, and the former leader keeps its last values',
      change: {
        [ours('leader', A)]: half('1', '0'),
        // One scrape finds nobody.
        [ours('leader', B)]: '0x60 1x179',
        [ours('last_success_timestamp_seconds', `${A}, stage="reconciliation"`)]: '0+30x59 1770x180',
        [ours('last_success_timestamp_seconds', `${B}, stage="reconciliation"`)]: '_x61 1830+30x178',
        [ours('tools_count', `${B}, type="prometheus"`)]: '_x61 5x178',
        [ours('overrides_valid', A)]: half('1', '0'),
        [ours('agent_up_to_date', A)]: half('1', '0'),
        [ours('agent_up_to_date', B)]: '_x61 1x178',
      },
      at,
      fires: {},
    }),
  ),
  ...['30m', '32m', '40m', '1h'].map(
    (at): AlertCase => ({
      name: 'a Pod is replaced by another',
      change: {
        ...ending({ ...replica(B, false), ...found(B) }),
        ...beginning({ ...replica(C, false), ...found(C) }),
        [`process_start_time_seconds{${C}}`]: '_x60 1800x179',
        [ours('last_success_timestamp_seconds', `${C}, stage="discovery"`)]: '_x60 1800+30x179',
      },
      at,
      fires: {},
    }),
  ),
  {
    name: 'a container is restarted once, and its counters start from zero',
    change: {
      [`process_start_time_seconds{${A}}`]: half('0', '1800'),
      [ours('configmap_updates_total', `${A}, result="success"`)]: '1+1x59 0+1x180',
      [ours('last_success_timestamp_seconds', `${A}, stage="reconciliation"`)]: '0+30x59 1800+30x180',
    },
    at: '31m',
    fires: {},
  },
  {
    name: 'discovery runs every hour',
    change: {
      [ours('discovery_interval_seconds', A)]: always(3600),
      [ours('discovery_interval_seconds', B)]: always(3600),
      [ours('last_success_timestamp_seconds', `${A}, stage="discovery"`)]: always(0),
      [ours('last_success_timestamp_seconds', `${A}, stage="reconciliation"`)]: always(0),
    },
    at: '55m',
    fires: {},
  },
  {
    name: 'nothing is probed, so no health is known',
    change: { ...NO_BACKENDS, [TOOLS]: always(5) },
    fires: {},
  },
  {
    name: 'a follower is no longer allowed to read, but the leader is',
    change: { [ours('last_success_timestamp_seconds', `${B}, stage="discovery"`)]: always(0) },
    fires: {},
  },
  {
    name: 'tokens cannot be reviewed at the moment',
    change: { [ours('auth_failures_total', `${A}, reason="unavailable"`)]: `0+60x${STEPS}` },
    fires: {},
  },
  {
    name: 'only health probes get 503',
    change: {
      [ours('api_errors_total', `${B}, route="/ready", status="503"`)]: `0+6x${STEPS}`,
      [ours('api_requests_total', `${B}, method="GET", route="/ready", status="503"`)]: `0+6x${STEPS}`,
    },
    fires: {},
  },
];

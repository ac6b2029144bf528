import { type AlertCase, both, type Firing, INSTALLATION, LEADER } from './alert-case.ts';
import { A, always, B, half, ours, STEPS } from './installation.ts';

const changedTimes = (times: string): Firing => ({
  labels: INSTALLATION,
  description: `Generated content was changed ${times} times in 15 minutes. It is reverted only once a minute, so the agent may read the other version.`,
});

const conditions = (replica: string, status: string, reason: string): string =>
  ours('backend_conditions', `${replica}, condition="Published", status="${status}", reason="${reason}"`);

const missing = (count: string, reason: string): Firing => ({
  labels: { ...INSTALLATION, reason },
  description: `${count} backends have been missing from the toolset for 30 minutes, with the reason ${reason}.`,
});

/** Faults of publishing and of the API. */
export const PUBLISHING: readonly AlertCase[] = [
  {
    name: 'the ConfigMap cannot be read or written',
    change: {
      [ours('last_success_timestamp_seconds', `${A}, stage="reconciliation"`)]: '0+30x59 1800x180',
      [ours('configmap_updates_total', `${A}, result="failure"`)]: '0x59 0+1x180',
    },
    fires: {
      DynamicToolsetPublishingStale: [
        { labels: LEADER, description: 'The leader a last confirmed the published toolset 30m 0s ago.' },
      ],
      DynamicToolsetPublishingFails: [
        { labels: INSTALLATION, description: '20 publications failed in 10 minutes.' },
      ],
    },
  },
  {
    name: 'the agent cannot be updated',
    change: { [ours('agent_up_to_date', A)]: half('1', '0') },
    fires: {
      DynamicToolsetAgentNotUpdated: [
        {
          labels: LEADER,
          description:
            'For 5 minutes, the toolset published in namespace ops could not be passed on to the agent, which still uses an earlier one.',
        },
      ],
    },
  },
  {
    name: 'an update of the agent fails for some minutes',
    change: { [ours('agent_up_to_date', A)]: '1x111 0x8 1x120' },
    fires: {},
  },
  {
    name: 'someone edits generated content',
    change: { [ours('configmap_drift_detected_total', `${A}, kind="toolset.json"`)]: '0x115 1x125' },
    fires: {
      DynamicToolsetChangedByOthers: [
        {
          labels: { ...INSTALLATION, kind: 'toolset.json' },
          description: 'Somebody changed toolset.json within the last 15 minutes. The change was reverted.',
        },
      ],
    },
  },
  {
    name: 'a program edits generated content every minute',
    change: {
      [ours('configmap_drift_detected_total', `${A}, kind="toolset.json"`)]: `0+0.5x${STEPS}`,
    },
    fires: {
      DynamicToolsetChangedByOthers: [
        {
          labels: { ...INSTALLATION, kind: 'toolset.json' },
          description: 'Somebody changed toolset.json within the last 15 minutes. The change was reverted.',
        },
      ],
      DynamicToolsetChangedRepeatedly: [changedTimes('15')],
    },
  },
  {
    name: 'the overrides are invalid',
    change: { [ours('overrides_valid', A)]: half('1', '0') },
    fires: {
      DynamicToolsetOverridesInvalid: [
        {
          labels: LEADER,
          description:
            'overrides.yaml in namespace ops has had an error for 5 minutes. The last toolset stays until you fix it.',
        },
      ],
    },
  },
  {
    name: 'something on the way corrupts the published documents',
    change: { [ours('rollbacks_total', A)]: '0x115 1x125' },
    fires: {
      DynamicToolsetRolledBack: [
        {
          labels: INSTALLATION,
          description:
            'Within the last 15 minutes, a published document was unusable when it was read back, so an earlier revision replaced it.',
        },
      ],
    },
  },
  {
    name: 'revisions cannot be written',
    change: { [ours('history_last_write_successful', A)]: half('1', '0') },
    fires: {
      DynamicToolsetHistoryFails: [
        {
          labels: LEADER,
          description:
            'For 15 minutes, the toolset published in namespace ops could not be recorded, so you cannot roll back to it.',
        },
      ],
    },
  },
  {
    name: 'someone tries tokens',
    change: { [ours('auth_failures_total', `${A}, reason="invalid"`)]: `0+10x${STEPS}` },
    fires: {
      DynamicToolsetAuthenticationFailures: [
        {
          labels: INSTALLATION,
          description: '20 requests per minute have missing or invalid credentials, or lack permission.',
        },
      ],
    },
  },
  {
    name: 'a tenth of the requests fail',
    change: {
      [ours('api_errors_total', `${A}, route="/api/v1/toolsets", status="503"`)]: `0+6x${STEPS}`,
    },
    fires: {
      DynamicToolsetApiErrors: [
        {
          labels: INSTALLATION,
          description: '10% of the responses have had a status of 500 or above for 10 minutes.',
        },
      ],
    },
  },
  {
    name: 'responses are slow',
    change: both(
      'api_request_duration_seconds_bucket',
      `0+15x${STEPS}`,
      ', route="/api/v1/toolsets", le="1"',
    ),
    fires: {
      DynamicToolsetApiSlow: [
        {
          labels: INSTALLATION,
          description: 'One request in twenty has taken longer than 4.6s for 15 minutes.',
        },
      ],
    },
  },
  {
    name: 'a limit keeps tools out',
    change: {
      [ours('tools_limited', `${A}, limit="agent_tools"`)]: half('0', '3'),
      [ours('approvals_waiting', A)]: always(0),
    },
    fires: {
      DynamicToolsetToolsLimited: [
        {
          labels: { ...INSTALLATION, limit: 'agent_tools' },
          description: 'The limit "agent_tools" has left out or shortened 3 tools for 30 minutes.',
        },
      ],
    },
    at: '65m',
  },
  {
    name: 'a rollback stays in force, so the leader does not publish discovered backends',
    change: {
      [conditions(A, 'False', 'HeldByRollback')]: half('0', '3'),
      [conditions(B, 'False', 'HeldByRollback')]: half('0', '4'),
      [conditions(A, 'False', 'NotYetPublished')]: half('0', '1'),
    },
    at: '61m',
    fires: {
      DynamicToolsetBackendsMissing: [missing('3', 'HeldByRollback'), missing('1', 'NotYetPublished')],
    },
  },
  ...['40m', '1h'].map(
    (at): AlertCase => ({
      name: 'new backends are published within minutes, and others are left out for reasons that need no alert',
      change: {
        [conditions(A, 'False', 'NotYetPublished')]: `0x59${' 1x19 stale _x8'.repeat(6)}`,
        ...Object.fromEntries(
          ['Unhealthy', 'NotApproved', 'LimitReached', 'NeedsCredentials', 'DisabledByOverride'].map(
            (reason) => [conditions(A, 'False', reason), always(2)],
          ),
        ),
        // A follower does not know limits.
        [conditions(B, 'False', 'NotYetPublished')]: always(2),
        [conditions(B, 'True', 'KeptForNow')]: always(2),
        [conditions(A, 'True', 'InToolset')]: always(5),
      },
      at,
      fires: {},
    }),
  ),
  {
    name: 'backends that should be removed stay published',
    change: { [conditions(A, 'True', 'KeptForNow')]: half('0', '2') },
    at: '61m',
    fires: {
      DynamicToolsetBackendsKept: [
        {
          labels: INSTALLATION,
          description:
            '2 backends in the toolset have been unhealthy, gone or no longer allowed for 30 minutes. The agent still tries to use them.',
        },
      ],
    },
  },
  {
    name: 'removals are held for five minutes',
    change: { [conditions(A, 'True', 'KeptForNow')]: '_x60 2x10 stale _x169' },
    at: '61m',
    fires: {},
  },
  {
    name: 'only a former leader still reports tools that a limit keeps out',
    change: {
      [ours('tools_limited', `${B}, limit="agent_tools"`)]: always(3),
      [ours('approvals_waiting', B)]: always(3),
    },
    at: '2h',
    fires: {},
  },
  {
    name: 'an MCP server waits for approval',
    change: { [ours('approvals_waiting', A)]: '0x29 2x210' },
    at: '80m',
    fires: {
      DynamicToolsetApprovalsWaiting: [
        {
          labels: INSTALLATION,
          description:
            '2 Services have waited for an hour. The agent cannot use them until someone approves them.',
        },
      ],
    },
  },
  {
    name: 'a client opens more connections than allowed',
    change: {
      [ours('connections_dropped_total', `${A}, server="api", reason="address"`)]: '0x59 0+100x180',
    },
    fires: {
      DynamicToolsetConnectionsDropped: [
        {
          labels: { ...INSTALLATION, server: 'api', reason: 'address' },
          description:
            'For 10 minutes, the limit "address" of the api server has dropped 200 connections per minute.',
        },
      ],
    },
  },
];

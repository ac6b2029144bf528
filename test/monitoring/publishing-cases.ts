import { type AlertCase, both, type Firing, INSTALLATION, LEADER } from './alert-case.ts';
import { A, always, B, half, ours, STEPS } from './installation.ts';

const changedTimes = (times: string): Firing => ({
  labels: INSTALLATION,
  description: `What is generated was changed ${times} times in 15 minutes. It is put right once a minute only, so the agent may read the other version.`,
});

/** Faults of publishing and of the API. */
export const PUBLISHING: readonly AlertCase[] = [
  {
    name: 'what is published cannot be read or written',
    change: {
      [ours('last_success_timestamp_seconds', `${A}, stage="reconciliation"`)]: '0+30x59 1800x180',
      [ours('configmap_updates_total', `${A}, result="failure"`)]: '0x59 0+1x180',
    },
    fires: {
      DynamicToolsetPublishingStale: [
        { labels: LEADER, description: 'a leads, and what is published was last seen in step 30m 0s ago.' },
      ],
      DynamicToolsetPublishingFails: [
        { labels: INSTALLATION, description: '20 publications failed in 10 minutes.' },
      ],
    },
  },
  {
    name: 'somebody edits what is generated',
    change: { [ours('configmap_drift_detected_total', `${A}, kind="toolset.json"`)]: '0x115 1x125' },
    fires: {
      DynamicToolsetChangedByOthers: [
        {
          labels: { ...INSTALLATION, kind: 'toolset.json' },
          description:
            'toolset.json was changed by somebody else within the last 15 minutes, and was put right.',
        },
      ],
    },
  },
  {
    name: 'a program edits what is generated each minute',
    change: {
      [ours('configmap_drift_detected_total', `${A}, kind="toolset.json"`)]: `0+0.5x${STEPS}`,
    },
    fires: {
      DynamicToolsetChangedByOthers: [
        {
          labels: { ...INSTALLATION, kind: 'toolset.json' },
          description:
            'toolset.json was changed by somebody else within the last 15 minutes, and was put right.',
        },
      ],
      DynamicToolsetChangedRepeatedly: [changedTimes('15')],
    },
  },
  {
    name: 'overrides that cannot be used',
    change: { [ours('overrides_valid', A)]: half('1', '0') },
    fires: {
      DynamicToolsetOverridesInvalid: [
        {
          labels: LEADER,
          description:
            'For 5 minutes overrides.yaml in namespace ops has had a fault. The last toolset stays until it is mended.',
        },
      ],
    },
  },
  {
    name: 'something on the way spoils what is published',
    change: { [ours('rollbacks_total', A)]: '0x115 1x125' },
    fires: {
      DynamicToolsetRolledBack: [
        {
          labels: INSTALLATION,
          description:
            'What was published could not be used as it was read back, so an earlier revision took its place within the last 15 minutes.',
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
            'For 15 minutes what is published in namespace ops could not be recorded, so there is no rollback to it.',
        },
      ],
    },
  },
  {
    name: 'somebody tries tokens',
    change: { [ours('auth_failures_total', `${A}, reason="invalid"`)]: `0+10x${STEPS}` },
    fires: {
      DynamicToolsetAuthenticationFailures: [
        {
          labels: INSTALLATION,
          description:
            '20 requests a minute come without credentials, with wrong ones, or without the right to ask.',
        },
      ],
    },
  },
  {
    name: 'a tenth of the requests meets an error',
    change: {
      [ours('api_errors_total', `${A}, route="/api/v1/toolsets", status="503"`)]: `0+6x${STEPS}`,
    },
    fires: {
      DynamicToolsetApiErrors: [
        {
          labels: INSTALLATION,
          description: '10% of the requests have been answered with a status of 500 or more for 10 minutes.',
        },
      ],
    },
  },
  {
    name: 'requests are answered late',
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
          description: 'For 30 minutes 3 tools have been left out or shortened for the limit "agent_tools".',
        },
      ],
    },
    at: '65m',
  },
  {
    name: 'only a replica that does not lead counts tools that a limit keeps out, from when it led',
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
          description: '2 have waited for an hour; the agent does not get them until a person approves them.',
        },
      ],
    },
  },
  {
    name: 'somebody opens more connections than they may',
    change: {
      [ours('connections_dropped_total', `${A}, server="api", reason="address"`)]: '0x59 0+100x180',
    },
    fires: {
      DynamicToolsetConnectionsDropped: [
        {
          labels: { ...INSTALLATION, server: 'api', reason: 'address' },
          description:
            'For 10 minutes 200 connections a minute to the api server have been dropped, for the limit "address".',
        },
      ],
    },
  },
];

import type { Row } from './panel.ts';
import { AGE, leads, ofProcess, ours } from './queries.ts';

export const working: Row = {
  title: 'Is it working?',
  panels: [
    {
      title: 'Alerts',
      kind: 'now',
      queries: [
        ['sum by (alertname) (ALERTS{alertname=~"DynamicToolset.*", alertstate="firing"})', '{{alertname}}'],
      ],
      meaning: 'Firing alerts. Each has a section in docs/runbook.md.',
      none: 'none',
      badFrom: 1,
    },
    {
      title: 'Replicas',
      kind: 'now',
      queries: [[`count(${ours('build_info')})`, 'replicas']],
      meaning:
        'Replicas that answer a scrape. Fewer than the Deployment wants: a Pod is not running, or Prometheus cannot scrape it.',
      alert: 'DynamicToolsetReplicaDown',
      none: 'none',
      goodFrom: 1,
    },
    {
      title: 'Leader',
      kind: 'now',
      queries: [[`${ours('leader')} == 1`, '{{pod}} {{instance}}']],
      meaning: 'The replica that publishes. "nobody": no replica keeps the toolset up to date.',
      alert: 'DynamicToolsetNoLeader',
      none: 'nobody',
      named: true,
      words: ['follows', 'leads'],
      goodFrom: 1,
    },
    {
      title: 'Ready',
      kind: 'now',
      queries: [[`min by (check) (${ours('ready')})`, '{{check}}']],
      meaning:
        'The checks of /ready, each for the worst replica. "no": GET /ready of that replica shows the error.',
      alert: 'DynamicToolsetNotReady',
      words: ['no', 'yes'],
      none: 'unknown',
      goodFrom: 1,
    },
    {
      title: 'Last discovery',
      kind: 'now',
      queries: [[`time() - max(${ours('last_success_timestamp_seconds', 'stage="discovery"')})`, 'ago']],
      meaning:
        'Time since the last full discovery. More than three discovery intervals: Services cannot be read, and the last known ones stay.',
      alert: 'DynamicToolsetDiscoveryStale',
      unit: 's',
      none: 'never',
      badFrom: AGE,
    },
    {
      title: 'Last reconciliation',
      kind: 'now',
      queries: [[`time() - max(${ours('last_success_timestamp_seconds', 'stage="reconciliation"')})`, 'ago']],
      meaning:
        'Time since the leader last confirmed or updated the published toolset. More than three discovery intervals: it cannot write the ConfigMap.',
      alert: 'DynamicToolsetPublishingStale',
      unit: 's',
      none: 'never',
      badFrom: AGE,
    },
    {
      title: 'Namespaces denied',
      kind: 'now',
      queries: [[`max(${ours('namespaces_denied')})`, 'namespaces']],
      meaning: 'Namespaces where listing Services is denied. Their backends are not published.',
      alert: 'DynamicToolsetNamespacesDenied',
      none: 'unknown',
      badFrom: 1,
    },
    {
      title: 'Overrides',
      kind: 'now',
      queries: [[`min(${ours('overrides_valid')} and ${leads})`, 'overrides.yaml']],
      meaning: 'Whether overrides.yaml is valid. "invalid": the last toolset stays until you fix it.',
      alert: 'DynamicToolsetOverridesInvalid',
      words: ['invalid', 'valid'],
      none: 'unknown',
      goodFrom: 1,
    },
    {
      title: 'Configuration',
      kind: 'now',
      queries: [[`min(${ours('config_last_reload_successful')})`, 'configuration']],
      meaning:
        'Whether the current configuration is in force. "refused": it has an error, and the previous one stays in force until the next restart.',
      alert: 'DynamicToolsetConfigurationRefused',
      words: ['refused', 'in force'],
      none: 'unknown',
      goodFrom: 1,
    },
    {
      title: 'Revision',
      kind: 'now',
      queries: [[`max(${ours('revision')})`, 'revision']],
      meaning:
        'Number of the newest revision; 0 if there is none. `dynamic-toolset history` lists them, and `rollback` returns to one.',
      none: 'unknown',
    },
    {
      title: 'Version',
      kind: 'now',
      queries: [[`count by (version) (${ours('build_info')})`, '{{version}}']],
      meaning:
        'Running versions, with the number of replicas. Two for longer than a rollout takes: the rollout is stuck.',
      named: true,
      none: 'none',
    },
    {
      title: 'Last start',
      kind: 'now',
      queries: [[`max(${ofProcess('process_start_time_seconds')}) * 1000`, 'start']],
      meaning:
        'When a replica last started. If it keeps restarting, the log of the previous container shows why.',
      alert: 'DynamicToolsetRestarts',
      unit: 'dateTimeFromNow',
      none: 'none',
    },
    {
      title: 'Leader over time',
      kind: 'state',
      queries: [[ours('leader'), '{{pod}} {{instance}}']],
      meaning:
        'The leader over time. It changes during a rollout and when a node fails. If it changes otherwise, the API server is too slow.',
      alert: 'DynamicToolsetNoLeader',
      words: ['follows', 'leads'],
    },
    {
      title: 'Checks of /ready',
      kind: 'state',
      queries: [[`min by (check) (${ours('ready')})`, '{{check}}']],
      meaning:
        'The checks of /ready over time. "kubernetes": Services cannot be read; "configmap": it cannot be read or written; "discovery": no discovery is complete yet.',
      alert: 'DynamicToolsetNotReady',
      words: ['not passed', 'passed'],
    },
  ],
};

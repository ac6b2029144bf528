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
      meaning: 'Alerts that fire now. Each has a section in docs/runbook.md.',
      none: 'none',
      badFrom: 1,
    },
    {
      title: 'Replicas',
      kind: 'now',
      queries: [[`count(${ours('build_info')})`, 'replicas']],
      meaning:
        'Replicas that answer a scrape. Fewer than the Deployment wants: a Pod does not run, or may not be scraped.',
      alert: 'DynamicToolsetReplicaDown',
      none: 'none',
      goodFrom: 1,
    },
    {
      title: 'Leader',
      kind: 'now',
      queries: [[`${ours('leader')} == 1`, '{{pod}} {{instance}}']],
      meaning: 'The replica that publishes. "nobody": the toolset is not kept up to date.',
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
        'The checks of /ready, each in the replica where it is worst. "no": GET /ready of that replica tells the error.',
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
        'Time since all Services were looked at. More than three discovery intervals: Services cannot be read, and the last known ones stand.',
      alert: 'DynamicToolsetDiscoveryStale',
      unit: 's',
      none: 'never',
      badFrom: AGE,
    },
    {
      title: 'Last in step',
      kind: 'now',
      queries: [[`time() - max(${ours('last_success_timestamp_seconds', 'stage="reconciliation"')})`, 'ago']],
      meaning:
        'Time since the leader saw that what is published is what shall be, or made it so. More than three discovery intervals: it cannot write the ConfigMap, or may not.',
      alert: 'DynamicToolsetPublishingStale',
      unit: 's',
      none: 'never',
      badFrom: AGE,
    },
    {
      title: 'Namespaces denied',
      kind: 'now',
      queries: [[`max(${ours('namespaces_denied')})`, 'namespaces']],
      meaning: 'Namespaces whose Services may not be listed. Backends in them are not offered.',
      alert: 'DynamicToolsetNamespacesDenied',
      none: 'unknown',
      badFrom: 1,
    },
    {
      title: 'Overrides',
      kind: 'now',
      queries: [[`min(${ours('overrides_valid')} and ${leads})`, 'overrides.yaml']],
      meaning:
        'Whether the leader can use overrides.yaml. "invalid": the last toolset stays until it is mended.',
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
        'Whether the configuration as it is now is in force. "refused": it has a fault, and the one before stays in force until the next restart.',
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
        'Number of the newest revision; 0 where none is kept. `dynamic-toolset history` lists them, and `rollback` returns to one.',
      none: 'unknown',
    },
    {
      title: 'Version',
      kind: 'now',
      queries: [[`count by (version) (${ours('build_info')})`, '{{version}}']],
      meaning: 'Versions that run, and in how many replicas. Two for longer than a roll-out: it is stuck.',
      named: true,
      none: 'none',
    },
    {
      title: 'Last start',
      kind: 'now',
      queries: [[`max(${ofProcess('process_start_time_seconds')}) * 1000`, 'start']],
      meaning:
        'When a replica was last started. Again and again: the log of the container before tells why it ended.',
      alert: 'DynamicToolsetRestarts',
      unit: 'dateTimeFromNow',
      none: 'none',
    },
    {
      title: 'Who leads',
      kind: 'state',
      queries: [[ours('leader'), '{{pod}} {{instance}}']],
      meaning:
        'The lead over time. It moves in a roll-out and when a node fails. Moving without these: the API server answers too late.',
      alert: 'DynamicToolsetNoLeader',
      words: ['follows', 'leads'],
    },
    {
      title: 'Checks of /ready',
      kind: 'state',
      queries: [[`min by (check) (${ours('ready')})`, '{{check}}']],
      meaning:
        'The checks of /ready over time. "kubernetes": Services cannot be read; "configmap": it cannot be read or written; "discovery": none is complete yet.',
      alert: 'DynamicToolsetNotReady',
      words: ['not passed', 'passed'],
    },
  ],
};

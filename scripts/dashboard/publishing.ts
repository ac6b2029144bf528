import type { Row } from './panel.ts';
import { increase, leads, ours, quantile, SEVERAL_DISCOVERIES } from './queries.ts';

export const publishing: Row = {
  title: 'Publishing',
  panels: [
    {
      title: 'Published tools',
      kind: 'graph',
      queries: [[`max by (type) (${ours('tools_count')} and ${leads})`, '{{type}}']],
      meaning:
        'Tools in the ConfigMap, as the leader knows it. Nothing where there was something: the agent has no tools of that type any more.',
      alert: 'DynamicToolsetNoTools',
      none: 'none',
    },
    {
      title: 'Publications',
      kind: 'graph',
      queries: [[`sum by (result) (${increase(ours('configmap_updates_total'))})`, '{{result}}']],
      meaning:
        'Changes of the ConfigMap, and tries that failed. "failure": the log tells why, and when the next try follows.',
      alert: 'DynamicToolsetPublishingFails',
    },
    {
      title: 'Drift',
      kind: 'graph',
      queries: [[`sum by (kind) (${increase(ours('configmap_drift_detected_total'))})`, '{{kind}}']],
      meaning:
        'Changes that somebody else made to what is generated; they were put right. The metadata.managedFields of the ConfigMap name the writer.',
      alert: 'DynamicToolsetChangedByOthers',
    },
    {
      title: 'From change to publication',
      kind: 'graph',
      queries: [
        [quantile(0.99, 'change_to_publish_seconds'), 'p99'],
        [quantile(0.5, 'change_to_publish_seconds'), 'p50'],
      ],
      meaning:
        'Time from the change of a Service until the ConfigMap holds what follows from it. Several seconds: a probe waits for a slow backend, or the API server answers late.',
      alert: 'DynamicToolsetDiscoverySlow',
      unit: 's',
    },
    {
      title: 'Reconciliation time',
      kind: 'graph',
      queries: [
        [quantile(0.95, 'configmap_reconcile_duration_seconds', '', '', SEVERAL_DISCOVERIES), 'p95'],
        [quantile(0.5, 'configmap_reconcile_duration_seconds', '', '', SEVERAL_DISCOVERIES), 'p50'],
      ],
      meaning:
        'Time in which what is published was compared, and changed where it had to be. Over 5 s: the API server answers late, or others write the ConfigMap at the same time.',
      alert: 'DynamicToolsetPublishingFails',
      unit: 's',
      badFrom: 5,
    },
    {
      title: 'Held, rolled back, left out',
      kind: 'graph',
      queries: [
        [`sum(${increase(ours('removals_held_total'))})`, 'removals held'],
        [`sum(${increase(ours('rollbacks_total'))})`, 'rolled back'],
        [`sum(${increase(ours('override_errors_total'))})`, 'overrides became invalid'],
        [`sum(${increase(ours('override_conflicts_total'))})`, 'entries of overrides left out'],
      ],
      meaning:
        'What kept the toolset from being simply what was found. "removals held": many backends failed at once. "rolled back": something on the way to the API server changes the document.',
      alert: 'DynamicToolsetRemovalHeld',
    },
    {
      title: 'Left out for a limit',
      kind: 'graph',
      queries: [[`max by (limit) (${ours('tools_limited')} and ${leads})`, '{{limit}}']],
      meaning:
        'Tools that a limit keeps out of the toolset, or whose text it shortens. The log names the namespaces that lost something.',
      alert: 'DynamicToolsetToolsLimited',
      badFrom: 1,
    },
    {
      title: 'Waiting for approval',
      kind: 'graph',
      queries: [[`max(${ours('approvals_waiting')} and ${leads})`, 'waiting']],
      meaning:
        'MCP servers and annotated Services that a person has not approved yet. `dynamic-toolset discover` lists them.',
      alert: 'DynamicToolsetApprovalsWaiting',
    },
    {
      title: 'Documents',
      kind: 'graph',
      queries: [
        [`sum by (document, result) (${increase(ours('generations_total'))})`, '{{document}}: {{result}}'],
      ],
      meaning: 'Documents that were made. "failure": overrides.yaml cannot be read, so the last ones stay.',
      alert: 'DynamicToolsetOverridesInvalid',
    },
    {
      title: 'Revisions',
      kind: 'graph',
      queries: [[`max(${ours('revision')})`, 'newest revision']],
      meaning:
        'Each step is a toolset that was published. Many steps: a backend comes and goes; "New backends" tells of which type.',
      alert: 'DynamicToolsetChangedRepeatedly',
    },
    {
      title: 'Changes of the configuration',
      kind: 'graph',
      queries: [[`sum by (result) (${increase(ours('config_reloads_total'))})`, '{{result}}']],
      meaning:
        'Changes of the configuration that were taken ("success") or could not be used ("failure"); each replica counts its own. What changed is in the log.',
      alert: 'DynamicToolsetConfigurationRefused',
    },
  ],
};

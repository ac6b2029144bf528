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
        'Tools in the ConfigMap, as the leader knows it. If a type disappears, the agent no longer has tools of that type.',
      alert: 'DynamicToolsetNoTools',
      none: 'none',
    },
    {
      title: 'Publications',
      kind: 'graph',
      queries: [[`sum by (result) (${increase(ours('configmap_updates_total'))})`, '{{result}}']],
      meaning:
        'Changes of the ConfigMap, and failed attempts. "failure": the log shows the reason and the time of the next attempt.',
      alert: 'DynamicToolsetPublishingFails',
    },
    {
      title: 'Drift',
      kind: 'graph',
      queries: [[`sum by (kind) (${increase(ours('configmap_drift_detected_total'))})`, '{{kind}}']],
      meaning:
        'External changes of generated content, which were reverted. metadata.managedFields of the ConfigMap names the writer.',
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
        'Time from the change of a Service to the updated ConfigMap. Several seconds: a probe waits for a slow backend, or the API server is slow.',
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
        'Duration of a reconciliation. Above 5 s: the API server is slow, or others write the ConfigMap at the same time.',
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
        'Reasons why the toolset differs from the discovered backends. "removals held": many backends failed at once. "rolled back": something on the way to the API server changed the document.',
      alert: 'DynamicToolsetRemovalHeld',
    },
    {
      title: 'Left out by a limit',
      kind: 'graph',
      queries: [[`max by (limit) (${ours('tools_limited')} and ${leads})`, '{{limit}}']],
      meaning:
        'Tools that a limit keeps out of the toolset, or whose description it drops. The log names the affected namespaces.',
      alert: 'DynamicToolsetToolsLimited',
      badFrom: 1,
    },
    {
      title: 'Waiting for approval',
      kind: 'graph',
      queries: [[`max(${ours('approvals_waiting')} and ${leads})`, 'waiting']],
      meaning:
        'MCP servers and annotated Services that nobody has approved yet. `dynamic-toolset discover` lists them.',
      alert: 'DynamicToolsetApprovalsWaiting',
    },
    {
      title: 'Documents',
      kind: 'graph',
      queries: [
        [`sum by (document, result) (${increase(ours('generations_total'))})`, '{{document}}: {{result}}'],
      ],
      meaning: 'Generated documents. "failure": overrides.yaml is invalid, so the last documents stay.',
      alert: 'DynamicToolsetOverridesInvalid',
    },
    {
      title: 'Revisions',
      kind: 'graph',
      queries: [[`max(${ours('revision')})`, 'newest revision']],
      meaning:
        'Each step is a published toolset. Many steps: a backend is flapping; "New backends" shows its type.',
      alert: 'DynamicToolsetChangedRepeatedly',
    },
    {
      title: 'Configuration changes',
      kind: 'graph',
      queries: [[`sum by (result) (${increase(ours('config_reloads_total'))})`, '{{result}}']],
      meaning:
        'Configuration changes that were applied ("success") or rejected ("failure"); each replica counts its own. The log shows what changed.',
      alert: 'DynamicToolsetConfigurationRefused',
    },
  ],
};

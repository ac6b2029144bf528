import type { Row } from './panel.ts';
import { ofProcess, rate } from './queries.ts';

export const processes: Row = {
  title: 'Process',
  panels: [
    {
      title: 'Memory',
      kind: 'graph',
      queries: [
        [ofProcess('process_resident_memory_bytes'), 'resident {{pod}} {{instance}}'],
        [ofProcess('nodejs_heap_size_used_bytes'), 'heap {{pod}} {{instance}}'],
      ],
      meaning:
        'Memory of each replica. Near the limit of the container it is killed: give it more, by docs/performance.md. Growing without more Services in the cluster: report it.',
      alert: 'DynamicToolsetRestarts',
      unit: 'bytes',
    },
    {
      title: 'CPU',
      kind: 'graph',
      queries: [[ofProcess('process_cpu_seconds_total', rate), '{{pod}} {{instance}}']],
      meaning:
        'Cores in use. Busy all the time: Services change all the time ("Changes of Services"), or many backends are asked again and again.',
      alert: 'DynamicToolsetApiSlow',
      unit: 'short',
    },
    {
      title: 'Lag of the event loop (p99)',
      kind: 'graph',
      queries: [[ofProcess('nodejs_eventloop_lag_p99_seconds'), '{{pod}} {{instance}}']],
      meaning:
        'How late the process gets to what is due. Over 0.5 s: its CPU is limited too much, and it may lose the lead.',
      alert: 'DynamicToolsetApiSlow',
      unit: 's',
      badFrom: 0.5,
    },
    {
      title: 'Open files',
      kind: 'graph',
      queries: [[ofProcess('process_open_fds'), '{{pod}} {{instance}}']],
      meaning:
        'Open files and connections. Growing and growing: clients do not close event streams, or report it.',
      alert: 'DynamicToolsetRestarts',
    },
  ],
};

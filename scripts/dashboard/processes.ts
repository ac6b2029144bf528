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
        'Memory of each replica. Near the container limit, it is killed: raise the limit, see docs/performance.md. If it grows without more Services in the cluster, report a bug.',
      alert: 'DynamicToolsetRestarts',
      unit: 'bytes',
    },
    {
      title: 'CPU',
      kind: 'graph',
      queries: [[ofProcess('process_cpu_seconds_total', rate), '{{pod}} {{instance}}']],
      meaning:
        'CPU cores in use. Always busy: Services change all the time ("Changes of Services"), or many backends are probed repeatedly.',
      alert: 'DynamicToolsetApiSlow',
      unit: 'short',
    },
    {
      title: 'Event loop lag (p99)',
      kind: 'graph',
      queries: [[ofProcess('nodejs_eventloop_lag_p99_seconds'), '{{pod}} {{instance}}']],
      meaning: 'Event loop lag. Above 0.5 s: the CPU limit is too low, and the process may lose leadership.',
      alert: 'DynamicToolsetApiSlow',
      unit: 's',
      badFrom: 0.5,
    },
    {
      title: 'Open files',
      kind: 'graph',
      queries: [[ofProcess('process_open_fds'), '{{pod}} {{instance}}']],
      meaning:
        'Open files and connections. If they keep growing, clients do not close event streams; otherwise, report a bug.',
      alert: 'DynamicToolsetRestarts',
    },
  ],
};

import type { Row } from './panel.ts';
import { ours, QUICK, quantile, rate } from './queries.ts';

export const api: Row = {
  title: 'API',
  panels: [
    {
      title: 'Requests',
      kind: 'graph',
      queries: [[`sum by (status) (${rate(ours('api_requests_total'))})`, '{{status}}']],
      meaning:
        'Requests per second by status, including probes. 401 and 403: the client is rejected. 429: a client sends too many requests. 503: not ready, or overloaded.',
      alert: 'DynamicToolsetApiErrors',
      unit: 'reqps',
    },
    {
      title: 'API time',
      kind: 'graph',
      queries: [
        [quantile(0.99, 'api_request_duration_seconds', '', QUICK), 'p99'],
        [quantile(0.95, 'api_request_duration_seconds', '', QUICK), 'p95'],
      ],
      meaning:
        'Request duration, without event streams and discoveries. p95 above 0.2 s: the process has too little CPU, or the API server is slow to review tokens.',
      alert: 'DynamicToolsetApiSlow',
      unit: 's',
      badFrom: 0.2,
    },
    {
      title: 'API time by route (p95)',
      kind: 'graph',
      queries: [[quantile(0.95, 'api_request_duration_seconds', ', route'), '{{route}}']],
      meaning:
        'Request duration by route. An event stream lasts as long as its client listens, and a discovery with wait=true as long as the backends take.',
      alert: 'DynamicToolsetApiSlow',
      unit: 's',
    },
    {
      title: 'Errors',
      kind: 'graph',
      queries: [[`sum by (route, status) (${rate(ours('api_errors_total'))})`, '{{status}} {{route}}']],
      meaning: 'Responses per second with a status of 400 or above, by route.',
      alert: 'DynamicToolsetApiErrors',
      unit: 'reqps',
      none: 'none',
    },
    {
      title: 'Rejected requests',
      kind: 'graph',
      queries: [
        [`60 * sum by (reason) (${rate(ours('auth_failures_total'))})`, '{{reason}}'],
        [`60 * sum(${rate(ours('auth_attempts_total'))})`, 'all attempts'],
      ],
      meaning:
        'Rejected requests per minute. Many "invalid" or "forbidden": a possible attack. "unavailable": the API server cannot review tokens, or denies this process to request reviews.',
      alert: 'DynamicToolsetAuthenticationFailures',
      unit: 'cpm',
    },
    {
      title: 'Dropped connections',
      kind: 'graph',
      queries: [
        [
          `60 * sum by (server, reason) (${rate(ours('connections_dropped_total'))})`,
          '{{server}}: {{reason}}',
        ],
      ],
      meaning:
        'Connections per minute that a limit closed. "address": one address has too many. "displaced" or "total": the server is full.',
      alert: 'DynamicToolsetConnectionsDropped',
      unit: 'cpm',
      none: 'none',
    },
    {
      title: 'Authentication time',
      kind: 'graph',
      queries: [[quantile(0.95, 'auth_duration_seconds'), 'p95']],
      meaning: 'The API server reviews tokens that are not cached. Above 1 s: the API server is slow.',
      alert: 'DynamicToolsetApiSlow',
      unit: 's',
      badFrom: 1,
    },
  ],
};

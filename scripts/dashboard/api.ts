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
        'Requests a second by status, probes included. 401 and 403: who asks is not let in. 429: a client asks too often. 503: not ready, or more to do than can be done.',
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
        'Time of a request, without event streams and discoveries. p95 over 0.2 s: the process has too little CPU, or the API server reviews tokens late.',
      alert: 'DynamicToolsetApiSlow',
      unit: 's',
      badFrom: 0.2,
    },
    {
      title: 'API time by route (p95)',
      kind: 'graph',
      queries: [[quantile(0.95, 'api_request_duration_seconds', ', route'), '{{route}}']],
      meaning:
        'Time of a request by route. An event stream lasts as long as its client listens, and a discovery that is waited for as long as the backends take.',
      alert: 'DynamicToolsetApiSlow',
      unit: 's',
    },
    {
      title: 'Errors',
      kind: 'graph',
      queries: [[`sum by (route, status) (${rate(ours('api_errors_total'))})`, '{{status}} {{route}}']],
      meaning: 'Answers a second with a status of 400 or more, by route.',
      alert: 'DynamicToolsetApiErrors',
      unit: 'reqps',
      none: 'none',
    },
    {
      title: 'Not let in',
      kind: 'graph',
      queries: [
        [`60 * sum by (reason) (${rate(ours('auth_failures_total'))})`, '{{reason}}'],
        [`60 * sum(${rate(ours('auth_attempts_total'))})`, 'all that were looked at'],
      ],
      meaning:
        'Requests a minute that were not let in. "invalid" or "forbidden" many times: somebody tries. "unavailable": the API server cannot review tokens, or does not let this process ask.',
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
        'Connections a minute that were closed for a limit. "address": one address has too many. "displaced" or "total": the server is full.',
      alert: 'DynamicToolsetConnectionsDropped',
      unit: 'cpm',
      none: 'none',
    },
    {
      title: 'Time to decide who is let in',
      kind: 'graph',
      queries: [[quantile(0.95, 'auth_duration_seconds'), 'p95']],
      meaning: 'A token that was not seen lately is reviewed by the API server. Over 1 s: it answers late.',
      alert: 'DynamicToolsetApiSlow',
      unit: 's',
      badFrom: 1,
    },
  ],
};

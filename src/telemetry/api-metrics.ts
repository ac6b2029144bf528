import type { MetricSet } from './metric-set.ts';

/** Reasons for rejected credentials. */
const AUTH_REASONS = ['missing', 'malformed', 'invalid', 'forbidden', 'unavailable'] as const;

/** Reasons for a closed connection: too many from its address, displaced by an address with fewer, or too many in total. */
const DROP_REASONS = ['address', 'displaced', 'total'] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** The servers whose connections are counted. */
const SERVERS = ['api', 'metrics', 'health'] as const;

/** Metrics of the HTTP API. */
export interface ApiMetrics {
  /**
   * Records an answered request.
   * @param answered `route` is the route pattern, never the path
   */
  answered(answered: {
    readonly method: string;
    readonly route: string;
    readonly status: number;
    readonly milliseconds: number;
  }): void;
  /** Records an authentication attempt. `reason` is set if it was refused. */
  authenticated(attempt: {
    readonly outcome: 'accepted' | 'refused';
    readonly reason?: (typeof AUTH_REASONS)[number];
    readonly milliseconds: number;
  }): void;
  /** Records a connection that a limit closed. `server` is `api`, `metrics` or `health`. */
  dropped(server: string, reason: DropReason): void;
}

/** Histogram buckets, in seconds. */
const DURATION_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 5];

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']);

/** Creates the metrics of the API in a set. */
export function apiMetrics(set: MetricSet): ApiMetrics {
  const requests = set.counter('api_requests_total', 'Answered requests.', ['method', 'route', 'status']);
  const duration = set.histogram('api_request_duration_seconds', 'Duration of a request.', DURATION_BUCKETS, [
    'method',
    'route',
  ]);
  const errors = set.counter('api_errors_total', 'Responses with a status of 400 or above.', [
    'route',
    'status',
  ]);
  const attempts = set.counter('auth_attempts_total', 'Authentication attempts.');
  const failures = set.counter('auth_failures_total', 'Rejected requests, by reason.', ['reason']);
  const checking = set.histogram(
    'auth_duration_seconds',
    'Duration of authentication and authorization.',
    DURATION_BUCKETS,
  );
  const drops = set.counter(
    'connections_dropped_total',
    'Connections closed by a limit: too many from one address ("address"), displaced by an address with fewer ("displaced"), or too many in total ("total").',
    ['server', 'reason'],
  );
  for (const reason of AUTH_REASONS) failures.inc({ reason }, 0);
  for (const server of SERVERS) for (const reason of DROP_REASONS) drops.inc({ server, reason }, 0);
  return {
    answered({ method: given, route, status, milliseconds }) {
      const method = METHODS.has(given) ? given : 'other';
      requests.inc({ method, route, status });
      duration.observe({ method, route }, milliseconds / 1000);
      if (status >= 400) errors.inc({ route, status });
    },
    authenticated({ outcome, reason = 'invalid', milliseconds }) {
      attempts.inc();
      if (outcome !== 'accepted') failures.inc({ reason });
      checking.observe(milliseconds / 1000);
    },
    dropped(server, reason) {
      drops.inc({ server, reason });
    },
  };
}

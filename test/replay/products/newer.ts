import { type Answers, below, type Handler, json, page, send, serving, text, to } from '../answers.ts';

/** Source: https://docs.victoriametrics.com/victoriatraces/querying/ */
export const VICTORIA_TRACES: Answers = {
  '/': page('<h2>Single-node VictoriaTraces</h2></br>Version victoria-traces-20250722</br>'),
  '/health': text('OK'),
  '/select/jaeger/api/services': json({ data: ['checkout'], errors: null, limit: 0, offset: 0, total: 1 }),
};

/** Source: https://docs.victoriametrics.com/victorialogs/querying/ */
export const VICTORIA_LOGS: Answers = {
  '/': page(
    '<h2>Single-node VictoriaLogs</h2></br>See docs at <a href="https://docs.victoriametrics.com/victorialogs/">',
  ),
  '/health': text('OK'),
  '/metrics': text('vm_app_version{version="victoria-logs-20250801"} 1\nvl_rows_ingested_total 17\n'),
};

/** Source: https://openobserve.ai/docs/environment-variables/ (ZO_BASE_URI) and its management API */
export const OPENOBSERVE: Answers = {
  '/': to('/web/'),
  '/healthz': json({ status: 'ok' }),
  '/config': json({
    version: 'v0.15.1',
    instance: '7361',
    commit_hash: '5ea4be1',
    build_date: '2025-08-01T00:00:00Z',
    build_type: 'opensource',
    default_fts_keys: ['log', 'message'],
    timestamp_column: '_timestamp',
    telemetry_enabled: false,
  }),
};

/** Source: https://clickhouse.com/docs/interfaces/http */
export const CLICKHOUSE: Handler = ({ url = '/' }, response) => {
  const [path = '/'] = url.split('?');
  if (path === '/' || path === '/ping' || path === '/replicas_status') return send(response, text('Ok.\n'));
  send(
    response,
    text(
      `There is no handle ${url}\nMaybe you meant /dashboard\nUse / or /ping for health checks.\nOr /replicas_status for more sophisticated health checks.\n`,
      404,
    ),
  );
};

/** Source: https://github.com/opencost/opencost/blob/develop/pkg/costmodel/router.go */
export const OPENCOST: Answers = {
  '/healthz': { status: 200, headers: { 'content-length': '0' }, body: '' },
  '/installInfo': json({
    containers: [{ containerName: 'opencost', image: 'ghcr.io/opencost/opencost:1.117.3' }],
    clusterInfo: { nodeCount: '3', podCount: '41', provider: 'custom' },
    version: '1.117.3',
  }),
};

/** Source: https://github.com/perses/perses/blob/main/pkg/model/api/v1/health.go */
export const PERSES: Answers = {
  '/': page('<!doctype html><html lang="en"><head><title>Perses</title></head></html>'),
  '/api/v1/health': json({
    buildTime: '2025-07-01T10:00:00Z',
    version: '0.51.1',
    commit: '1f0a',
    database: true,
  }),
};

/** Source: https://quickwit.io/docs/reference/rest-api */
export const QUICKWIT: Answers = {
  '/': to('/ui/search'),
  '/health/livez': json(true),
  '/health/readyz': json(true),
  '/api/v1/version': json({
    build: {
      build_target: 'x86_64-unknown-linux-gnu',
      cargo_pkg_version: '0.8.2',
      commit_short_hash: '17d76b4',
      version: '0.8.2',
    },
    runtime: { num_cpus: 4 },
  }),
};

/** Source: https://www.parca.dev/docs/ and its gRPC gateway below /api */
export const PARCA: Answers = {
  '/': page('<!doctype html><html lang="en"><head><title>Parca</title></head></html>'),
  '/api/profiles/types': json({ types: [{ name: 'parca_agent', sampleType: 'samples' }] }),
};

/** With `--path-prefix`. */
export const parcaBelow = (prefix: string): Answers => ({
  ...below(prefix, PARCA),
  '/': to(`${prefix}/`),
});

/** Source: https://learn.netdata.cloud/docs/rest-api (v3/info) */
export const NETDATA: Answers = {
  '/': page('<!doctype html><html><head><title>Netdata</title></head></html>'),
  '/api/v3/info': json({
    api: 2,
    agents: [{ mg: '5c0f1a66', nd: '9a1b', nm: 'netdata-parent', now: 1_756_000_000, ai: 0 }],
  }),
  '/api/v1/info': json({
    version: 'v2.6.3',
    uid: '5c0f',
    mirrored_hosts: ['netdata-parent'],
    alarms: { critical: 0 },
  }),
};

/** Source: https://skywalking.apache.org/docs/main/latest/en/status/query_ttl_setup/ */
export const SKYWALKING: Handler = ({ url = '/', method }, response) => {
  if (url === '/status/config/ttl')
    return send(response, text('# Metrics TTL\nmetricsTTL.metadata=7\nrecordsTTL.browserErrorLog=3\n'));
  if (url === '/graphql') return send(response, text('', method === 'POST' ? 200 : 405));
  send(response, text('Status: 404\nDescription: Not Found\n', 404));
};

/** Source: https://github.com/uptrace/uptrace/blob/master/vue/vue.config.js */
export const UPTRACE: Answers = {
  '/': page(
    '<!DOCTYPE html><html lang="en"><head><title>Uptrace</title></head><body><div id="app"></div></body></html>',
  ),
};

/** Source: https://github.com/coroot/coroot/blob/main/front/public/index.html. It answers with its page to all paths. */
export const COROOT: Handler = serving(
  { '/health': text(''), '/api/user': text('', 401) },
  page(
    "<!DOCTYPE html><html lang=\"en\"><head><title>Coroot</title><script>window.coroot = { base_path: '/', version: '1.17.2' };</script></head></html>",
  ),
);

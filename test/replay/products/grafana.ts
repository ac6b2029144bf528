import { type Answers, type Handler, json, page, send, serving, text, to } from '../answers.ts';

const HEALTH = { database: 'ok', version: '12.1.1', commit: 'df5de8219b41d1e639e003bf5f3a85913761d167' };

/** Source: https://grafana.com/docs/grafana/latest/developers/http_api/other/#health-api */
export const GRAFANA: Answers = {
  '/': to('/login'),
  '/login': page('<!DOCTYPE html><html><head><base href="/" /><title>Grafana</title></head></html>'),
  '/api/health': json(HEALTH),
};

/**
 * With `serve_from_sub_path`: all that is not below the path leads to its `root_url`, which only browsers reach.
 * Source: https://github.com/grafana/grafana/blob/main/pkg/middleware/subpath_redirect.go
 * @param root the `root_url` with a slash at its end
 */
export function grafanaBelow(root: string): Handler {
  const { pathname } = new URL(root);
  const own = serving({
    [pathname]: to(`${pathname}login`),
    [`${pathname}login`]: page(
      `<!DOCTYPE html><html><head><base href="${pathname}" /><title>Grafana</title></head></html>`,
    ),
    [`${pathname}api/health`]: json(HEALTH),
  });
  return (request, response) => {
    const { url = '/' } = request;
    if (url.startsWith(pathname)) own(request, response);
    else send(response, to(`${root}${url.slice(1)}`, 301));
  };
}

const BUILD = {
  version: '3.5.3',
  revision: '94bc1c0',
  branch: 'HEAD',
  buildUser: 'root@buildkitsandbox',
  buildDate: '2025-07-28T12:00:00Z',
  goVersion: 'go1.24.5',
};

const NO_TENANT = text('no org id\n', 401);

/**
 * Source: https://grafana.com/docs/loki/latest/reference/loki-http-api/
 * @param isShared with `auth_enabled`, as by default
 */
export const loki = (isShared: boolean): Answers => ({
  '/ready': text('ready\n'),
  '/loki/api/v1/status/buildinfo': json(BUILD),
  '/loki/api/v1/labels': isShared ? NO_TENANT : json({ status: 'success', data: ['app'] }),
  '/loki/api/v1/query': isShared
    ? NO_TENANT
    : json({ status: 'success', data: { resultType: 'vector', result: [], stats: {} } }),
});

/** Source: https://grafana.com/docs/mimir/latest/references/http-api/ */
export const mimir = (isShared: boolean): Answers => ({
  '/': page('<!DOCTYPE html><html><head><title>Grafana Mimir</title></head></html>'),
  '/ready': text('ready\n'),
  '/prometheus/api/v1/status/buildinfo': json({
    status: 'success',
    data: { ...BUILD, application: 'Grafana Mimir', features: { ruler_config_api: 'true' } },
  }),
  '/prometheus/api/v1/query': isShared
    ? NO_TENANT
    : json({ status: 'success', data: { resultType: 'scalar', result: [1, '1'] } }),
  '/prometheus/api/v1/labels': isShared ? NO_TENANT : json({ status: 'success', data: [] }),
});

/** Source: https://grafana.com/docs/tempo/latest/api_docs/ */
export const tempo = (isShared: boolean): Answers => ({
  '/ready': text('ready\n'),
  '/api/echo': text('echo'),
  '/api/status/buildinfo': json({ ...BUILD, version: '2.8.2' }),
  '/api/search/tags': isShared ? NO_TENANT : json({ tagNames: ['service.name'], metrics: {} }),
  '/api/search': isShared ? NO_TENANT : json({ traces: [], metrics: {} }),
});

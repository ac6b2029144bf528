import { type Answers, below, type Handler, json, page, send, serving, text, to } from '../answers.ts';

/** Source: https://www.jaegertracing.io/docs/latest/architecture/apis/ (internal HTTP JSON of the UI) */
export const JAEGER: Answers = {
  '/': page(
    '<!doctype html><html lang="en"><head><base href="/" data-inject-target="BASE_URL" /><title>Jaeger UI</title></head></html>',
  ),
  '/api/services': json({ data: ['frontend'], total: 1, limit: 0, offset: 0, errors: null }),
};

/** With `--query.base-path`: nothing is at the root. */
export const jaegerBelow = (prefix: string): Answers =>
  below(prefix, {
    ...JAEGER,
    '/': page(
      `<!doctype html><html lang="en"><head><base href="${prefix}/" data-inject-target="BASE_URL" /><title>Jaeger UI</title></head></html>`,
    ),
  });

/** Source: https://github.com/kiali/kiali/blob/master/handlers/root.go */
export const KIALI: Answers = {
  '/': page('<!doctype html><html lang="en"><head><title>Kiali</title></head></html>'),
  '/healthz': text(''),
  '/api': json({
    status: { 'Kiali version': 'v2.12.0', 'Kiali commit hash': '3f1', 'Kiali state': 'running' },
  }),
  '/api/status': json({
    status: { 'Kiali version': 'v2.12.0', 'Kiali commit hash': '3f1', 'Kiali state': 'running' },
    externalServices: [],
    warningMessages: [],
  }),
};

/** With `server.web_root`, which is `/kiali` by default: the root leads there. */
export const kialiBelow = (prefix: string): Answers => ({
  ...below(prefix, KIALI),
  '/': to(`${prefix}/`),
  '/healthz': text(''),
});

const ARGOCD: Answers = {
  '/': page(
    '<!doctype html><html lang="en"><head><meta charset="UTF-8"><title>Argo CD</title><base href="/"></head></html>',
  ),
  '/healthz': text('ok'),
  '/api/version': json({ Version: 'v3.1.0+03c4ad8' }),
};

/**
 * With `server.rootpath`: its health check alone stays at the root.
 * Source: https://github.com/argoproj/argo-cd/blob/master/server/server.go, withRootPath
 */
export const argocdBelow = (prefix: string): Answers => ({
  ...below(prefix, {
    ...ARGOCD,
    '/': page(
      `<!doctype html><html lang="en"><head><title>Argo CD</title><base href="${prefix}/"></head></html>`,
    ),
  }),
  [prefix]: to(`${prefix}/`, 301),
  '/healthz': text('ok'),
});

/** Source: https://docs.victoriametrics.com/victoriametrics/url-examples/ */
export const VICTORIA_METRICS: Answers = {
  '/': page(
    '<h2>Single-node VictoriaMetrics</h2></br>Useful endpoints:</br><a href="vmui">vmui</a> - Web UI<br/>',
  ),
  '/health': text('OK'),
  '/api/v1/status/buildinfo': json({ status: 'success', data: { version: '2.24.0' } }),
  '/api/v1/query': json({ status: 'success', isPartial: false, data: { resultType: 'vector', result: [] } }),
};

/** Of a cluster: the first tenant. */
export const VMSELECT: Answers = {
  '/': page('vmselect - a component of VictoriaMetrics cluster<br/>'),
  '/health': text('OK'),
  ...below('/select/0/prometheus', {
    '/api/v1/status/buildinfo': json({ status: 'success', data: { version: '2.24.0' } }),
    '/api/v1/query': json({
      status: 'success',
      isPartial: false,
      data: { resultType: 'vector', result: [] },
    }),
  }),
};

/**
 * With `-http.pathPrefix`: an error that names it.
 * Source: https://github.com/VictoriaMetrics/VictoriaMetrics/blob/master/lib/httpserver/httpserver.go
 */
export function victoriaBelow(prefix: string, answers: Answers = VICTORIA_METRICS): Handler {
  const own = serving(below(prefix, answers), text('unsupported path requested\n', 400));
  return (request, response) => {
    const { url = '/' } = request;
    if (url === prefix) send(response, to(`${prefix}/`));
    else if (url.startsWith(`${prefix}/`)) own(request, response);
    else
      send(
        response,
        text(
          `remoteAddr: "10.1.2.3:40102"; requestURI: ${url}; missing -http.pathPrefix="${prefix}" in the requested path "${url}"\n`,
          400,
        ),
      );
  };
}

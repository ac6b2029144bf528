import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a small local server answers, by path; other paths get 404. */
export type Answers = Readonly<Record<string, string | object>>;

const DOMAIN = 'svc.cluster.local';

/** The backends of the demonstration: the address that the cluster would know each by, and what it answers. */
export const BACKENDS: Readonly<Record<string, Answers>> = {
  [`stack-prometheus.monitoring.${DOMAIN}:9090`]: {
    '/-/healthy': 'Prometheus Server is Healthy.\n',
    '/api/v1/status/buildinfo': {
      status: 'success',
      data: { version: '3.5.0', revision: 'demo', goVersion: 'go1.24.5' },
    },
  },
  [`stack-alertmanager.monitoring.${DOMAIN}:9093`]: {
    '/-/healthy': 'OK',
    '/api/v2/status': {
      cluster: { status: 'ready' },
      config: { original: '' },
      versionInfo: { version: '0.28.1' },
    },
  },
  [`stack-grafana.monitoring.${DOMAIN}:80`]: { '/api/health': { database: 'ok', version: '12.1.1' } },
  [`loki-gateway.observability.${DOMAIN}:80`]: {
    '/ready': 'ready\n',
    '/loki/api/v1/status/buildinfo': { version: '3.5.3', revision: 'demo', goVersion: 'go1.24.5' },
  },
  [`jaeger-query.observability.${DOMAIN}:16686`]: {
    '/': '<!doctype html><title>Jaeger UI</title>',
    '/api/services': { data: ['checkout', 'cart'], total: 2, limit: 0, offset: 0, errors: null },
  },
  [`incident-api.shop.${DOMAIN}:8080`]: { '/livez': 'ok' },
};

function serve(answers: Answers): Server {
  return createServer((request, response) => {
    const answer = answers[new URL(request.url ?? '/', 'http://local').pathname];
    if (answer === undefined) response.writeHead(404).end();
    else if (typeof answer === 'string')
      response.writeHead(200, { 'content-type': 'text/plain' }).end(answer);
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
}

/**
 * Starts all backends on free ports of this machine.
 * @returns for each the value of `--connect-to` that leads to it, and a function that stops them
 */
export async function startBackends(): Promise<{ readonly connectTo: string[]; readonly stop: () => void }> {
  const servers: Server[] = [];
  const connectTo: string[] = [];
  for (const [authority, answers] of Object.entries(BACKENDS)) {
    const server = serve(answers);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    servers.push(server);
    connectTo.push(`${authority}:127.0.0.1:${(server.address() as AddressInfo).port}`);
  }
  return { connectTo, stop: () => servers.forEach((server) => void server.close().closeAllConnections()) };
}

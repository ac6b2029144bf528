import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ClusterConnection } from '../test/cluster/connection.ts';

/** A proxy to the API server that counts requests. */
export interface CountingApi {
  /** Its URL, for a kubeconfig with a token. */
  readonly server: string;
  /** Requests since the last call, by name, such as `read services` or `watch services`. */
  taken(): ReadonlyMap<string, number>;
  stop(): void;
}

/** A readable name of a request. */
function nameOf({ method = 'GET', url = '/' }: IncomingMessage): string {
  const { pathname, searchParams } = new URL(url, 'http://local');
  const resource = /\/(?:namespaces\/[^/]+\/)?([a-z]+)(?:\/[^/]+)?$/.exec(pathname)?.[1] ?? pathname;
  if (searchParams.get('watch') === 'true') return `watch ${resource}`;
  return `${method === 'GET' ? 'read' : method.toLowerCase()} ${resource}`;
}

export async function countingApi(connection: ClusterConnection): Promise<CountingApi> {
  let counts = new Map<string, number>();
  const agent = new https.Agent({ ca: connection.caPem, keepAlive: true });
  const pass = (request: IncomingMessage, response: ServerResponse): void => {
    const name = nameOf(request);
    counts.set(name, (counts.get(name) ?? 0) + 1);
    const { host: _, ...headers } = request.headers;
    const options = { agent, method: request.method, headers };
    const sent = https.request(new URL(request.url ?? '/', connection.server), options, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers).flushHeaders();
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    sent.on('error', () => response.destroy());
    response.on('close', () => sent.destroy());
    request.pipe(sent);
  };
  const server = createServer(pass);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken() {
      const taken = counts;
      counts = new Map();
      return taken;
    },
    stop() {
      server.close();
      server.closeAllConnections();
      agent.destroy();
    },
  };
}

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ClusterConnection } from '../cluster/connection.ts';

/** A request to the API server on its way through. */
export interface Passing {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly watch: boolean;
  /** Lets it through, to this path if another is given; each chunk of the answer by way of `edit`. */
  forward(options?: { readonly path?: string; readonly edit?: (chunk: Buffer) => Buffer | undefined }): void;
}

/** A proxy in front of the test cluster's API server that misbehaves as a test wants. */
export interface FaultyApi {
  /** A kubeconfig that leads through it, with the administrator's rights. */
  readonly kubeconfig: string;
  /** What was asked, as `list` or `watch`, oldest first. */
  readonly asked: string[];
  /** What happens to each request; `undefined` lets it through. */
  fault: ((passing: Passing) => void) | undefined;
  /** Breaks all connections and refuses new ones. */
  shut(): void;
  open(): Promise<void>;
  /** From now on nothing comes through on the connections that are open, and they stay open. */
  freeze(): void;
}

export async function faultyApi(connection: ClusterConnection): Promise<FaultyApi> {
  const sockets = new Set<Socket>();
  const frozen = new WeakSet<Socket>();
  const upstream = new https.Agent({
    ca: connection.caPem,
    cert: connection.certPem,
    key: connection.keyPem,
    keepAlive: true,
  });
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', connection.server);
    const watch = url.searchParams.get('watch') === 'true';
    asked.push(watch ? 'watch' : 'list');
    const forward: Passing['forward'] = ({ path = request.url ?? '', edit } = {}) => {
      const { 'content-type': type } = request.headers;
      const headers = {
        accept: 'application/json',
        ...(type === undefined ? {} : { 'content-type': type }),
      };
      const options = { agent: upstream, method: request.method, headers };
      const sent = https.request(new URL(path, connection.server), options, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers).flushHeaders();
        answer.on('data', (chunk: Buffer) => {
          const changed = edit === undefined ? chunk : edit(chunk);
          if (changed !== undefined && !frozen.has(request.socket)) response.write(changed);
        });
        answer.on('end', () => !frozen.has(request.socket) && response.end());
        answer.on('error', () => response.destroy());
      });
      sent.on('error', () => response.destroy());
      response.on('close', () => sent.destroy());
      request.pipe(sent);
    };
    const passing = { request, response, url, watch, forward };
    if (api.fault === undefined) forward();
    else api.fault(passing);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  let port = 0;
  const folder = await mkdtemp(join(tmpdir(), 'faulty-api-'));
  const kubeconfig = join(folder, 'config');
  const api: FaultyApi = {
    kubeconfig,
    asked,
    fault: undefined,
    shut() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
    async open() {
      await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
      port = (server.address() as AddressInfo).port;
    },
    freeze() {
      for (const socket of sockets) frozen.add(socket);
    },
  };
  await api.open();
  onTestFinished(async () => {
    api.shut();
    upstream.destroy();
    await rm(folder, { recursive: true });
  });
  const text = {
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    clusters: [
      { name: 'c', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } },
    ],
    users: [{ name: 'u', user: {} }],
  };
  await writeFile(kubeconfig, JSON.stringify(text));
  return api;
}

import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { parse } from 'yaml';
import type { ClusterConnection } from '../cluster/connection.ts';

/** When a process is killed: right before a request is passed on, or right after its answer came. */
interface Moment {
  /** Of the requests that change something, which one; the first is 1. */
  readonly request: number;
  readonly when: 'before' | 'after';
}

/** A proxy in front of the API server that kills who asks, at one moment. */
export interface KillingProxy {
  /** A kubeconfig that leads through it, with the rights of the one that was given. */
  readonly kubeconfig: string;
  /** Counts from 1 again, and calls this at a moment. */
  arm(moment: Moment, kill: () => void): void;
  /** How many requests that change something came since. */
  readonly changes: () => number;
}

const changesSomething = ({ method = '', url = '' }: IncomingMessage): boolean =>
  method !== 'GET' && !url.startsWith('/apis/events.k8s.io/');

export async function killingProxy(connection: ClusterConnection, kubeconfig: string): Promise<KillingProxy> {
  const upstream = new https.Agent({ ca: connection.caPem, keepAlive: true });
  let armed: { readonly moment: Moment; readonly kill: () => void } | undefined;
  let changes = 0;
  const server = createServer(async (request, response) => {
    const number = changesSomething(request) ? ++changes : 0;
    const isNow = (when: Moment['when']): boolean =>
      number > 0 && armed?.moment.request === number && armed.moment.when === when;
    const body = await buffer(request);
    if (isNow('before')) {
      armed?.kill();
      return;
    }
    const { host: _, connection: _own, ...headers } = request.headers;
    const url = new URL(request.url ?? '', connection.server);
    const sent = https.request(
      url,
      { agent: upstream, method: request.method ?? 'GET', headers },
      async (answer) => {
        if (number === 0) {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
          return;
        }
        const content = await buffer(answer);
        if (isNow('after')) armed?.kill();
        else response.writeHead(answer.statusCode ?? 502, answer.headers).end(content);
      },
    );
    sent.on('error', () => response.destroy());
    response.on('close', () => sent.destroy());
    sent.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close().closeAllConnections();
    upstream.destroy();
  });
  const { port } = server.address() as AddressInfo;
  const path = kubeconfig.replace(/\.yaml$/, '-killing.yaml');
  const config = parse(await readFile(kubeconfig, 'utf8'));
  const there = { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true };
  await writeFile(path, JSON.stringify({ ...config, clusters: [{ name: 'test', cluster: there }] }));
  return {
    kubeconfig: path,
    arm(moment, kill) {
      changes = 0;
      armed = { moment, kill };
    },
    changes: () => changes,
  };
}

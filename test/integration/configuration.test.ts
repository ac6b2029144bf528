import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { waitUntil } from '../cluster/cluster.ts';
import { faultyApi } from './faulty-api.ts';
import { startServe } from './serve-process.ts';
import { type Setting, setting, toolNames } from './setting.ts';

const NAME = 'dynamic-toolset-config';

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'configuration-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Two namespaces to look into, and nothing that keeps a ConfigMap from saying which. */
async function twoNamespaces() {
  const made = await setting();
  const { cluster, watched, target } = made;
  const other = await cluster.namespace('other');
  const { NAMESPACES: _, DISCOVERY_INTERVAL: __, ...env } = made.env;
  const configMaps = `/api/v1/namespaces/${target}/configmaps`;
  return {
    ...made,
    other,
    env: { ...env, PROBE: 'none' },
    /** Both namespaces may be read by it. */
    async grantOther(): Promise<void> {
      await cluster.admin.create(`/apis/rbac.authorization.k8s.io/v1/namespaces/${other}/rolebindings`, {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name: 'view' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
        subjects: [{ kind: 'ServiceAccount', name: made.account.name, namespace: made.account.namespace }],
      });
    },
    store: (data: Record<string, string>) =>
      cluster.admin.create(configMaps, {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: NAME },
        data,
      }),
    change: (data: Record<string, string | null>) => cluster.admin.patch(`${configMaps}/${NAME}`, { data }),
    forget: () => cluster.admin.delete(`${configMaps}/${NAME}`),
    lokiIn: (namespace: string, name = 'loki') =>
      cluster.service(namespace, {
        name,
        labels: { 'app.kubernetes.io/name': 'loki' },
        ports: [{ port: 3100, name: 'http-metrics' }],
      }),
    watchedTool: `prometheus.${watched}`,
  };
}

const tools = async ({ read }: Pick<Setting, 'read'>): Promise<string[]> => toolNames(await read()).sort();

test('the ConfigMap overrides the file, and the environment overrides the ConfigMap, without a restart', async () => {
  const made = await twoNamespaces();
  const { watched, other, target, cluster } = made;
  await made.grantOther();
  await made.prometheus();
  await made.lokiIn(other);
  const file = join(await folder(), 'config.yaml');
  await writeFile(file, `namespaces: [${other}]\ndiscoveryInterval: 1h\nconfigMapName: from-the-file\n`);
  await made.store({ namespaces: watched, 'configmap-name': 'from-the-configmap' });

  const serve = startServe({ ...made.env, CONFIG_FILE: file, CONFIGMAP_NAME: 'kubernaut-toolset-config' });
  const started = await serve.logged('discovering backends');
  expect(started.message).toContain(`namespace ${watched}`);
  expect(started.message).toContain('kubernaut-toolset-config');
  expect(started.interval).toBe(3600);
  await serve.logged('toolset published');
  expect(await tools(made)).toEqual([`prometheus.${watched}`]);

  await made.change({ namespaces: `${watched},${other}`, 'log-level': 'debug' });
  const line = await serve.logged('the configuration changed');
  expect(line.changes).toEqual([
    `namespaces: "${watched},${other}" (ConfigMap ${target}/${NAME}: namespaces)`,
    `logLevel: "debug" (ConfigMap ${target}/${NAME}: log-level)`,
  ]);
  await waitUntil('both are published', async () => (await tools(made)).length === 2);
  const discovered = serve.lines.filter(({ message }) => message === 'backend discovered');
  expect(discovered.map(({ namespace }) => namespace).sort()).toEqual([watched, other].sort());

  await made.forget();
  await waitUntil('its absence is reported', () =>
    serve.lines.find(({ message }) =>
      String(message).includes('was deleted: its last settings stay in force'),
    ),
  );
  expect(await tools(made)).toHaveLength(2);

  await made.store({});
  await waitUntil('the file counts again', () =>
    serve.lines.find(
      ({ changes }) =>
        Array.isArray(changes) &&
        /\(.*:\d+:\d+: namespaces\)/.test(changes[0] ?? '') &&
        changes[0].includes(`(${file}:`),
    ),
  );
  await waitUntil(
    'the other namespace alone is left',
    async () => (await tools(made)).join() === `loki.${other}`,
  );
  const { items } = await cluster.admin.get<{ items: { reason: string; note: string }[] }>(
    `/apis/events.k8s.io/v1/namespaces/${target}/events`,
  );
  expect(items.find(({ reason }) => reason === 'ConfigurationChanged')?.note).toContain(other);
  expect(await serve.stop()).toBe(0);
});

test('an invalid change is reported once and rejected until it is fixed', async () => {
  const made = await twoNamespaces();
  const { watched } = made;
  await made.prometheus();
  await made.store({ namespaces: watched });
  const serve = startServe({ ...made.env, METRICS_ADDRESS: '127.0.0.1:0', METRICS_AUTH_ENABLED: 'false' });
  const { port } = await serve.logged('metrics are served');
  await serve.logged('toolset published');
  await made.change({ 'discovery-interval': 'soon', colour: 'red', detectors: 'loki: {enabled: maybe}' });
  const { message } = await serve.logged('the configuration cannot be used');
  expect(message).toMatch(/"colour" is not a setting/);
  expect(message).toMatch(/detectors:1:17: .*enabled/);
  expect(message).toContain('discovery-interval="soon" is not a duration');
  await made.change({ colour: null, detectors: null });
  await waitUntil('the next fault is told', () =>
    serve.lines.find(({ message: text }) => text.includes('discovery-interval="soon" is not a duration')),
  );
  const metrics = async (): Promise<string> => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  expect(await metrics()).toContain('dynamic_toolset_config_last_reload_successful 0');
  await made.loki();
  await waitUntil('the configuration before still counts', async () => (await tools(made)).length === 2);

  await made.change({ 'discovery-interval': null });
  await serve.logged('the configuration is valid again');
  expect(await metrics()).toContain('dynamic_toolset_config_last_reload_successful 1');
  expect(await metrics()).toContain('dynamic_toolset_config_reloads_total{result="failure"} 2');
  expect(serve.lines.filter(({ message: text }) => text.includes('cannot be used'))).toHaveLength(2);
});

test('an invalid ConfigMap at the start ends it with 2 and every fault', async () => {
  const made = await twoNamespaces();
  await made.store({ namespaces: 'A B', 'probe-concurrency': '0', 'configmap-namespace': 'elsewhere' });
  const serve = startServe(made.env);
  const ended = new Promise((resolve) => serve.process.on('close', resolve));
  expect(await ended).toBe(2);
  expect(serve.lines.map(({ message }) => message).sort()).toEqual([
    expect.stringContaining('configmap-namespace says where this ConfigMap is'),
    expect.stringContaining('namespaces="A B"'),
    expect.stringContaining('probe-concurrency="0" is below 1'),
  ]);
});

test('without permission to read the ConfigMap, it logs what to grant, and continues without it', async () => {
  const made = await twoNamespaces();
  const { cluster, target, watched } = made;
  const account = await cluster.serviceAccount({
    namespace: target,
    rulesIn: { [watched]: [{ apiGroups: [''], resources: ['services'], verbs: ['list', 'watch'] }] },
  });
  const serve = startServe({
    ...made.env,
    KUBECONFIG: await cluster.kubeconfig(account),
    NAMESPACES: watched,
  });
  const { message } = await serve.logged('its settings cannot be used');
  expect(message).toContain(`ConfigMap ${target}/${NAME}`);
  await serve.logged('discovering backends');
});

test('the file, folders of detectors and SIGHUP: a typo loses no tool', async () => {
  const made = await twoNamespaces();
  const { watched, cluster } = made;
  await made.prometheus();
  await made.loki();
  await cluster.service(watched, {
    name: 'ours',
    labels: { app: 'acme' },
    ports: [{ port: 8000, name: 'http' }],
  });
  const place = await folder();
  const detectors = join(place, 'detectors');
  await mkdir(detectors);
  const file = join(place, 'config.yaml');
  const acme = [
    'type: acme',
    'title: Acme',
    "description: Acme's metrics",
    'names: [acme]',
    'ports: {numbers: [8000]}',
    'probe: {health: ["{base}/healthy"]}',
    'holmes: {http: {paths: [/metrics], instructions: Ask for metrics.}}',
    '',
  ].join('\n');
  await writeFile(join(detectors, 'acme.yaml'), acme);
  await writeFile(file, `namespaces: [${watched}]\n`);
  const serve = startServe({ ...made.env, CONFIG_FILE: file, DETECTORS: detectors });
  await serve.logged('toolset published');
  const all = [`loki.${watched}`, `ours.${watched}`, `prometheus.${watched}`];
  await waitUntil('all are published', async () => (await tools(made)).join() === all.join());

  await writeFile(join(detectors, 'acme.yaml'), `${acme}surprise: 1\n`);
  const { message } = await serve.logged('the configuration cannot be used');
  expect(message).toContain('acme.yaml:8:1');
  await writeFile(file, 'namespaces: [');
  await waitUntil('the file is told, too', () =>
    serve.lines.find(({ message: text }) => text.includes(`${file}:1:`)),
  );
  expect(await tools(made)).toEqual(all);

  await writeFile(join(detectors, 'acme.yaml'), acme);
  // Renamed, because the change of the detector may have the file read while it is being written.
  await writeFile(`${file}.new`, `namespaces: [${watched}]\ndetectors: {loki: {enabled: false}}\n`);
  await rename(`${file}.new`, file);
  serve.process.kill('SIGHUP');
  const { changes } = await serve.logged('the configuration changed');
  expect(changes).toEqual(['options of detectors']);
  await waitUntil('loki is gone', async () => (await tools(made)).join() === [all[1], all[2]].join());
  expect(await serve.stop()).toBe(0);
});

test('Services change while the configuration changes repeatedly: none is lost', async () => {
  const made = await twoNamespaces();
  const { watched, other, cluster } = made;
  await made.grantOther();
  await made.store({ namespaces: `${watched},${other}` });
  await made.prometheus();
  const serve = startServe(made.env);
  await serve.logged('toolset published');
  const settings = [
    { namespaces: watched, 'probe-concurrency': '8' },
    { namespaces: `${watched},${other}`, 'discovery-interval': '1m' },
    { namespaces: other, 'health-check-timeout': '2s' },
    { namespaces: `${other},${watched}`, detectors: 'tempo: {enabled: false}' },
  ];
  for (let step = 0; step < 24; step++) {
    await made.change({ ...settings[step % settings.length] });
    for (const namespace of [watched, other]) {
      await made.lokiIn(namespace, `loki-${step}`);
      if (step % 3 === 2)
        await cluster.admin.delete(`/api/v1/namespaces/${namespace}/services/loki-${step - 1}`);
    }
  }
  const kept = Array.from({ length: 24 }, (_, step) => step).filter((step) => step % 3 !== 1);
  const expected = [watched, other].flatMap((namespace) => kept.map((step) => `loki-${step}.${namespace}`));
  await waitUntil(
    'what there is is published',
    async () => (await tools(made)).join() === [...expected, `prometheus.${watched}`].sort().join(),
  );
  expect(await serve.stop()).toBe(0);
});

test('a namespace that cannot be read just when the configuration changes keeps its tools', async () => {
  const made = await twoNamespaces();
  const { cluster, watched, other, target } = made;
  await made.prometheus();
  await made.lokiIn(other);
  await made.store({ namespaces: `${watched},${other}` });
  const api = await faultyApi(cluster.connection);
  const serve = startServe({ ...made.env, KUBECONFIG: api.kubeconfig });
  await serve.logged('toolset published');
  await waitUntil('both are published', async () => (await tools(made)).length === 2);
  let failed = 0;
  api.fault = ({ url, response, forward }) => {
    if (url.pathname !== `/api/v1/namespaces/${other}/services`) return forward();
    failed++;
    response.writeHead(500).end('{"kind":"Status","message":"etcd is away","code":500}');
  };
  await made.change({ 'discovery-interval': '10m' });
  await serve.logged('the configuration changed');
  await serve.logged('etcd is away');
  await made.loki();
  await waitUntil('the other namespace is followed', async () => (await tools(made)).length === 3);
  expect(await tools(made)).toContain(`loki.${other}`);
  expect(failed).toBeGreaterThan(0);
  expect(target).not.toBe(watched);
});

test('a leader stays the leader, and the metrics server moves', async () => {
  const made = await twoNamespaces();
  const { cluster, watched, target } = made;
  await made.prometheus();
  await made.store({ namespaces: watched });
  await cluster.admin.create(`/apis/rbac.authorization.k8s.io/v1/namespaces/${target}/rolebindings`, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'all' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', name: made.account.name, namespace: made.account.namespace }],
  });
  const serve = startServe({ ...made.env, LEADER_ELECTION: 'true', METRICS_AUTH_ENABLED: 'false' });
  await serve.logged('became leader');
  await serve.logged('toolset published');
  const lease = `/apis/coordination.k8s.io/v1/namespaces/${target}/leases/dynamic-toolset`;
  const held = async () => (await cluster.admin.get(lease)) as unknown as { spec: Record<string, unknown> };
  const before = (await held()).spec;
  await made.change({ 'metrics-address': '127.0.0.1:0', 'revision-history-limit': '3' });
  await serve.logged('the configuration changed');
  const { port } = await serve.logged('metrics are served');
  expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(200);
  await made.loki();
  await waitUntil('it goes on writing', async () => (await tools(made)).length === 2);
  const after = (await held()).spec;
  expect([after.holderIdentity, after.leaseTransitions]).toEqual([
    before.holderIdentity,
    before.leaseTransitions,
  ]);
  await made.change({ 'metrics-address': null });
  await waitUntil('nobody listens there any more', () =>
    fetch(`http://127.0.0.1:${port}/metrics`).then(
      () => false,
      () => true,
    ),
  );
  expect(await serve.stop()).toBe(0);
});

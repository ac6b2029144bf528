import { readFile, writeFile } from 'node:fs/promises';
import { connect as connectSocket, createServer, type Server, type Socket } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { waitUntil } from '../cluster/cluster.ts';
import { startBackend } from './backend.ts';
import { startServe } from './serve-process.ts';
import { CONFIG_MAP, setting, toolNames } from './setting.ts';

describe('serve against a real API server, with minimal permissions', () => {
  test('creates the ConfigMap, leaves it alone while nothing changes, and follows Services', async () => {
    const backend = await startBackend();
    const { cluster, watched, path, env, read, prometheus, loki } = await setting({
      backendPort: backend.port,
    });
    await prometheus();
    await cluster.service(watched, {
      name: 'down',
      labels: { app: 'elasticsearch' },
      ports: [{ port: 9200, name: 'http' }],
    });
    const serve = startServe(env);
    await serve.logged('toolset published');

    const created = await read();
    expect(toolNames(created)).toEqual([`prometheus.${watched}`]);
    expect(parse(created.data['custom_toolset.yaml'] ?? '')).toMatchObject({
      toolsets: {
        'prometheus/metrics': {
          enabled: true,
          config: { prometheus_url: `http://prometheus.${watched}.svc.cluster.local:9090` },
        },
      },
    });
    expect(created.metadata.labels).toMatchObject({
      'app.kubernetes.io/name': 'dynamic-toolset',
      'app.kubernetes.io/component': 'toolset-config',
      'app.kubernetes.io/managed-by': 'dynamic-toolset',
    });
    expect(created.metadata.annotations).toMatchObject({ 'kubernaut.io/discovered-services': '1' });
    expect(backend.asked).toContain('/-/healthy');
    expect(await serve.logged('backend discovered')).toMatchObject({ component: 'service_discovery' });

    const passes = (): number =>
      serve.lines.filter(({ message }) => message === 'discovery completed').length;
    const before = passes();
    await waitUntil('two more passes are over', () => passes() >= before + 2);
    expect((await read()).metadata.resourceVersion).toBe(created.metadata.resourceVersion);

    const overrides = '# mine: keep it\r\ntools:\n  "ünïcode": { enabled: false }   \n\n\n';
    await cluster.admin.patch(path, {
      metadata: { labels: { team: 'sre' }, annotations: { note: 'hands off' } },
      data: { 'overrides.yaml': overrides, 'notes.txt': 'mine too' },
    });
    await loki();
    await waitUntil('Loki is a tool', async () => toolNames(await read()).includes(`loki.${watched}`));
    await cluster.admin.delete(`/api/v1/namespaces/${watched}/services/prometheus`);
    const followed = await waitUntil('Prometheus is none any more', async () => {
      const now = await read();
      return toolNames(now).join() === `loki.${watched}` && now;
    });
    expect(followed.data['overrides.yaml']).toBe(overrides);
    expect(followed.data['notes.txt']).toBe('mine too');
    expect(followed.metadata.labels.team).toBe('sre');
    expect(followed.metadata.annotations.note).toBe('hands off');

    expect(await serve.stop()).toBe(0);
    expect(serve.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('overrides.yaml applies; while it is broken the last toolset stays', async () => {
    const backend = await startBackend();
    const { cluster, watched, path, env, read, prometheus, loki } = await setting({
      backendPort: backend.port,
    });
    await prometheus();
    await loki();
    const serve = startServe(env);
    await serve.logged('toolset published');
    const write = (text: string) => cluster.admin.patch(path, { data: { 'overrides.yaml': text } });
    const error = async (): Promise<string | undefined> =>
      (await read()).metadata.annotations['kubernaut.io/override-error'];

    await write(`tools:\n  loki.${watched}: { enabled: false }\n`);
    await waitUntil(
      'Loki is left out',
      async () => toolNames(await read()).join() === `prometheus.${watched}`,
    );

    await write(`tools:\n  loki.${watched}: { enabled: perhaps }\n`);
    expect(await waitUntil('the fault is told', error)).toMatch(/line 2, column \d+.*enabled/);
    expect((await serve.logged('overrides.yaml cannot be used')).level).toBe('warn');
    await cluster.admin.delete(`/api/v1/namespaces/${watched}/services/prometheus`);
    const passes = (): number =>
      serve.lines.filter(({ message }) => message === 'discovery completed').length;
    const before = passes();
    await waitUntil('two more passes are over', () => passes() >= before + 2);
    expect(toolNames(await read())).toEqual([`prometheus.${watched}`]);

    await write(`tools:\n  loki.${watched}: { description: Ours }\n`);
    await waitUntil(
      'both are in step again',
      async () => toolNames(await read()).join() === `loki.${watched}`,
    );
    expect(await error()).toBeUndefined();
    expect((await read()).data['toolset.json']).toContain('"Ours"');
  });

  test('with overrides.yaml broken from the start, no tool is published until it is fixed', async () => {
    const backend = await startBackend();
    const { cluster, watched, path, env, read, prometheus, loki } = await setting({
      backendPort: backend.port,
    });
    await prometheus();
    await loki();
    const overrides = (enabled: string) => ({
      'overrides.yaml': `tools:\n  ${watched}/loki: { enabled: ${enabled} }\n`,
    });
    await cluster.admin.create(dirname(path), {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: basename(path) },
      data: overrides('flase'),
    });
    const serve = startServe(env);
    await serve.logged('toolset published');
    expect((await serve.logged('overrides.yaml cannot be used')).message).toContain('no tool is published');
    expect(toolNames(await read())).toEqual([]);

    await cluster.admin.patch(path, { data: overrides('false') });
    await waitUntil('one is published', async () => toolNames(await read()).length > 0);
    expect(toolNames(await read())).toEqual([`prometheus.${watched}`]);
  });

  test('a manual edit of generated content is reported, with the difference, and reverted', async () => {
    const backend = await startBackend();
    const { cluster, watched, path, env, read, prometheus } = await setting({ backendPort: backend.port });
    await prometheus();
    const serve = startServe(env);
    await serve.logged('toolset published');
    const before = await read();
    await cluster.admin.patch(path, { data: { 'toolset.json': '{"tools":[]}\n' } });
    const line = await serve.logged('somebody changed generated content');
    expect(line).toMatchObject({ level: 'warn', drift_keys: ['toolset.json'], drift_count: 1 });
    expect(line.diff).toContain(`+      "name": "prometheus.${watched}"`);
    await waitUntil('it is put right', async () => {
      const now = await read();
      return now.data['toolset.json'] === before.data['toolset.json'];
    });
  });

  test('when most backends fail at once, their tools stay for a while', async () => {
    const backend = await startBackend();
    const names = ['a', 'b', 'c', 'd'].map((name) => `prometheus-${name}`);
    const { cluster, watched, env, read } = await setting();
    for (const name of names)
      await cluster.service(watched, {
        name,
        labels: { 'app.kubernetes.io/name': 'prometheus', 'app.kubernetes.io/instance': name },
        selector: { app: name },
        ports: [{ port: 9090, name: 'web' }],
      });
    const leadTo = (port: number): string =>
      names.map((name) => `${name}.${watched}.svc.cluster.local:9090:127.0.0.1:${port}`).join(',');
    const first = startServe({ ...env, CONNECT_TO: leadTo(backend.port) });
    await first.logged('toolset published');
    await first.stop();
    const before = await read();
    expect(toolNames(before)).toHaveLength(4);

    backend.answer((_, response) => response.writeHead(500).end());
    const second = startServe({ ...env, CONNECT_TO: leadTo(backend.port), REMOVAL_HOLD: '8s' });
    const line = await second.logged('They stay published for now');
    expect(line.tools).toHaveLength(4);
    await second.logged('discovery completed');
    expect((await read()).data).toEqual(before.data);
    await waitUntil('they are gone after all', async () => toolNames(await read()).length === 0, {
      limitMs: 40_000,
    });
  });

  test('an unreadable namespace is reported and skipped; the others still count', async () => {
    const backend = await startBackend();
    const { cluster, watched, env, read, prometheus } = await setting({ backendPort: backend.port });
    const foreign = await cluster.namespace('foreign');
    await prometheus();
    const serve = startServe({ ...env, NAMESPACES: `${foreign},${watched}` });
    await serve.logged('toolset published');
    expect(toolNames(await read())).toEqual([`prometheus.${watched}`]);
    const line = await serve.logged(`namespace ${foreign}`);
    expect(line.level).toBe('warn');
    expect(line.message).toMatch(/denied.*Role/);
  });

  test('an unwritable ConfigMap is reported, and written once permitted', async () => {
    const backend = await startBackend();
    const { cluster, target, env, prometheus } = await setting({ backendPort: backend.port });
    await prometheus();
    const other = await cluster.namespace('other');
    const serve = startServe({ ...env, CONFIGMAP_NAMESPACE: other });
    const line = await serve.logged('the toolset was not published');
    expect(line.level).toBe('error');
    expect(line.message).toContain(`${other}/${CONFIG_MAP}`);
    expect(serve.process.exitCode).toBeNull();

    const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${other}`;
    const subjects = [
      { kind: 'Group', name: `system:serviceaccounts:${target}`, apiGroup: 'rbac.authorization.k8s.io' },
    ];
    await cluster.admin.create(`${rbac}/roles`, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'late' },
      rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'create', 'patch'] }],
    });
    await cluster.admin.create(`${rbac}/rolebindings`, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'late' },
      subjects,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'late' },
    });
    await serve.logged('toolset published');
  });

  test('the API server goes away and returns: it logs that, keeps the last toolset, and continues', async () => {
    const backend = await startBackend();
    const { cluster, watched, env, read, prometheus, loki, kubeconfig } = await setting({
      backendPort: backend.port,
    });
    await prometheus();
    const gate = await startGate(Number(new URL(cluster.connection.server).port));
    const moved = join(kubeconfig, '..', 'through-the-gate.yaml');
    const text = await readFile(kubeconfig, 'utf8');
    await writeFile(moved, text.replace(/server: .*/, `server: https://127.0.0.1:${gate.port}`));
    const serve = startServe({ ...env, KUBECONFIG: moved });
    await serve.logged('toolset published');
    const before = await read();

    gate.shut();
    const line = await serve.logged('Services cannot be read, so the last known ones are kept');
    expect(line.level).toBe('error');
    expect(line.message).toContain('not reachable');
    await loki();
    expect((await read()).metadata.resourceVersion).toBe(before.metadata.resourceVersion);
    expect(serve.process.exitCode).toBeNull();

    await gate.open();
    await waitUntil('Loki is a tool', async () => toolNames(await read()).includes(`loki.${watched}`));
    expect(toolNames(await read())).toContain(`prometheus.${watched}`);
    expect(await serve.stop('SIGINT')).toBe(0);
  });

  test('without a cluster at the start, it waits for one', async () => {
    const { env, kubeconfig } = await setting();
    const moved = join(kubeconfig, '..', 'nobody.yaml');
    await writeFile(
      moved,
      (await readFile(kubeconfig, 'utf8')).replace(/server: .*/, 'server: https://127.0.0.1:1'),
    );
    const servers = { API_ADDRESS: '127.0.0.1:0', HEALTH_ADDRESS: '127.0.0.1:0', SHUTDOWN_DELAY: '0s' };
    const serve = startServe({ ...env, ...servers, KUBECONFIG: moved });
    const line = await serve.logged('startup waits until its settings can be read');
    const { port } = await serve.logged('the API is served');
    const ask = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
    expect((await ask('/health')).status).toBe(200);
    const ready = await ask('/ready');
    const text = await ready.text();
    expect([ready.status, text]).toEqual([503, expect.stringMatching(/"kubernetes":\{"status":"failing"/)]);
    // What is wrong is in the log, and not for strangers.
    expect(text).not.toContain('error');
    expect(line.message).toContain('not reachable');
    const { port: health } = await serve.logged('probes are served');
    const probed = await fetch(`http://127.0.0.1:${health}/ready`, {
      headers: { authorization: 'Bearer x' },
    });
    expect([probed.status, await probed.text()]).toEqual([503, text]);
    expect((await fetch(`http://127.0.0.1:${health}/api/v1/toolsets`)).status).toBe(404);
    expect((await ask('/api/v1/toolsets')).status).toBe(401);
    expect(line.retry_in).toBeGreaterThan(0);
    expect(serve.process.exitCode).toBeNull();
    expect(await serve.stop()).toBe(0);
  });
});

/** A TCP proxy to the API server that a test can shut: connections break and new ones are refused. */
async function startGate(to: number) {
  const sockets = new Set<Socket>();
  let server: Server;
  let port = 0;
  const open = async (): Promise<void> => {
    server = createServer((inside) => {
      const outside = connectSocket(to, '127.0.0.1');
      for (const [socket, other] of [
        [inside, outside],
        [outside, inside],
      ] as const) {
        sockets.add(socket);
        socket.on('error', () => {}).on('close', () => other.destroy());
        socket.pipe(other);
      }
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    port = (server.address() as { port: number }).port;
  };
  const shut = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  await open();
  onTestFinished(shut);
  return { port, open, shut };
}

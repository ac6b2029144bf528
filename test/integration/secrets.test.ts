import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { waitUntil } from '../cluster/cluster.ts';
import { startBackend } from './backend.ts';
import { startServe } from './serve-process.ts';
import { setting } from './setting.ts';

/** Secrets by where they are planted; each is another one, so that a leak says where it is. */
const SECRET = {
  label: 'planted-label-1x7',
  annotation: 'planted-annotation-2x7',
  url: 'planted-url-3x7',
  probe: 'planted-probe-4x7',
  header: 'planted-header-5x7',
  overrides: 'planted-overrides-6x7',
  entry: 'planted-entry-7x7',
  edit: 'planted-edit-8x7',
  agent: 'planted-agent-9x7',
} as const;

test('no secret is in the log, in Events or in metrics, wherever it comes from', async () => {
  const backend = await startBackend();
  const { cluster, target, watched, env, prometheus, kubeconfig, path, writeOverrides } = await setting({
    backendPort: backend.port,
  });
  await prometheus();
  const service = (name: string, port: number, annotations: Record<string, string> = {}) =>
    cluster.admin.create(`/api/v1/namespaces/${watched}/services`, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name,
        labels: { 'app.kubernetes.io/name': name, password: SECRET.label, token: SECRET.label },
        annotations: { note: `password: ${SECRET.annotation}`, ...annotations },
      },
      spec: { ports: [{ port, name: 'http' }] },
    });
  await service('loki', 3100, {
    'kubernaut.io/toolset-description': `Logs. password=${SECRET.annotation}`,
  });
  await service('wrong', 80, {
    'kubernaut.io/toolset': 'true',
    'kubernaut.io/toolset-endpoint': `http://me:${SECRET.url}@grafana:3000`,
    'kubernaut.io/toolset-health-path': `/health?api_key=${SECRET.url}`,
  });
  const serve = startServe({
    ...env,
    CONNECT_TO: `${env.CONNECT_TO},elasticsearch.${watched}.svc.cluster.local:9200:127.0.0.1:${backend.port}`,
    LOG_LEVEL: 'debug',
    METRICS_ADDRESS: '127.0.0.1:0',
    METRICS_AUTH_ENABLED: 'false',
    HOLMESGPT_RELOAD: 'endpoint',
    HOLMESGPT_URL: 'http://127.0.0.1:1',
    HOLMESGPT_API_KEY: SECRET.agent,
  });
  const { port } = await serve.logged('metrics are served');
  await serve.logged('toolset published');
  backend.answer((_, response) =>
    response
      .writeHead(500, { 'www-authenticate': `Bearer ${SECRET.header}` })
      .end(`{"password": "${SECRET.probe}", "authorization": "Bearer ${SECRET.probe}"}`),
  );
  await service('elasticsearch', 9200);
  await waitUntil('a probe that fails is told', () =>
    serve.lines.some(({ reason }) => String(reason).includes('answered 500')),
  );
  await writeOverrides(`tools:\n  loki.${watched}: { password: ${SECRET.overrides} }\n`);
  await serve.logged('overrides.yaml cannot be used');
  await writeOverrides(
    `holmesgpt: { toolsets: { grafana: { config: { api_key: ${SECRET.entry}, api_url: 7 } } } }\n`,
  );
  await serve.logged('overrides.yaml is valid again');
  await cluster.admin.patch(path, {
    data: { 'custom_toolset.yaml': `toolsets: { x: { config: { token: ${SECRET.edit} } } }\n` },
  });
  await serve.logged('somebody changed generated content');

  const events = await waitUntil('it is told in Events', async () => {
    const { items } = await cluster.admin.get<{ readonly items: readonly { readonly reason: string }[] }>(
      `/apis/events.k8s.io/v1/namespaces/${target}/events`,
    );
    return items.some(({ reason }) => reason === 'DriftReverted') && items;
  });
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  expect(await serve.stop()).toBe(0);
  const told = JSON.stringify([serve.lines, events, metrics]);
  const token = /token"?: "?([\w.-]{40,})/.exec(await readFile(kubeconfig, 'utf8'))?.[1];
  expect(token).toBeDefined();
  for (const [where, secret] of Object.entries({ ...SECRET, kubeconfig: token ?? '' }))
    expect(
      [...told.matchAll(new RegExp(`.{0,200}${secret}`, 'g'))].map(([text]) => text),
      where,
    ).toEqual([]);
});

test('a password in a setting is not in the error message', async () => {
  const serve = startServe({ HOLMESGPT_RELOAD: 'endpoint', HOLMESGPT_URL: `ftp://me:${SECRET.url}@holmes` });
  expect(await serve.stop('SIGCONT')).toBe(2);
  expect(serve.lines.length).toBeGreaterThan(0);
  expect(JSON.stringify(serve.lines)).not.toContain(SECRET.url);
});

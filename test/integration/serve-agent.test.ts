import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { waitUntil } from '../cluster/cluster.ts';
import { mcpServer } from '../replay/products/mcp.ts';
import { command } from './command.ts';
import { THEIRS, withHolmesGpt } from './holmesgpt-setting.ts';
import { startServe } from './serve-process.ts';

interface Deployment {
  readonly spec: {
    readonly template: { readonly metadata: { readonly annotations?: Record<string, string> } };
  };
}

test("serve writes the toolset to HolmesGPT's ConfigMap, restarts it once, and does nothing without changes", async () => {
  const { cluster, target, env, permit, prometheus, loki, watched, read } = await withHolmesGpt();
  const { admin } = cluster;
  const deployment = `/apis/apps/v1/namespaces/${target}/deployments/rel-holmes`;
  const configMap = `/api/v1/namespaces/${target}/configmaps/rel-toolsets`;
  await permit();
  await prometheus();
  const serve = startServe(env);

  await serve.logged('was restarted');
  const { data } = await admin.get<{ readonly data: Record<string, string> }>(configMap);
  expect(parse(data['custom_toolset.yaml'] ?? '').toolsets).toMatchObject({
    internet: { enabled: true },
    'prometheus/metrics': {
      config: { prometheus_url: `http://prometheus.${watched}.svc.cluster.local:9090` },
    },
  });
  expect(data['custom_toolset.person.yaml']).toBe(THEIRS);
  expect(data['model_list.yaml']).toBe('models: {}\n');
  const annotations = async (): Promise<Record<string, string>> =>
    (await admin.get<Deployment>(deployment)).spec.template.metadata.annotations ?? {};
  const restarted = await annotations();
  expect(restarted).toHaveProperty(['kubectl.kubernetes.io/restartedAt']);

  // Another change within five minutes reaches the file, and the restart waits.
  await loki();
  await waitUntil(
    'Loki is published',
    async () => (await read()).data['toolset.json']?.includes('loki') === true,
  );
  await serve.logged('later');
  const after = await admin.get<{ readonly data: Record<string, string> }>(configMap);
  expect(after.data['custom_toolset.yaml']).toContain('grafana/loki');
  expect(await annotations()).toEqual(restarted);
  expect(await serve.stop()).toBe(0);
  expect(serve.lines.filter(({ level }) => level === 'error')).toEqual([]);
});

test('an agent that may not be updated shows in a metric, an Event and the statistics, until it may', async () => {
  const { cluster, target, env, permit, prometheus } = await withHolmesGpt();
  await prometheus();
  const serve = startServe({
    ...env,
    API_ADDRESS: '127.0.0.1:0',
    AUTH_ENABLED: 'false',
    METRICS_ADDRESS: '127.0.0.1:0',
    METRICS_AUTH_ENABLED: 'false',
  });
  const api = await serve.logged('the API is served');
  const metrics = await serve.logged('metrics are served');
  const call = (port: unknown, path: string): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`);
  const problems = async (): Promise<unknown> => {
    const { toolset } = (await (await call(api.port, '/api/v1/statistics')).json()) as {
      readonly toolset: { readonly problems: unknown };
    };
    return toolset.problems;
  };
  const isUpToDate = async (): Promise<string | undefined> =>
    /^dynamic_toolset_agent_up_to_date (\d)$/m.exec(await (await call(metrics.port, '/metrics')).text())?.[1];
  const reasons = async (): Promise<(string | undefined)[]> => {
    const { items } = await cluster.admin.get<{
      readonly items: readonly { readonly reason?: string }[];
    }>(`/apis/events.k8s.io/v1/namespaces/${target}/events`);
    return items.map(({ reason }) => reason).filter((reason) => reason?.startsWith('Agent'));
  };

  await serve.logged('the agent was not updated');
  await waitUntil('the metric shows it', async () => (await isUpToDate()) === '0');
  expect(await problems()).toContainEqual({
    where: 'HolmesGPT',
    what: expect.stringMatching(/deployments\.apps "rel-holmes" is forbidden/),
  });
  expect((await call(api.port, '/ready')).status).toBe(200);
  await waitUntil('there is an Event', async () => (await reasons()).length > 0);
  expect(await reasons()).toEqual(['AgentNotUpdated']);

  await permit();
  await serve.logged('the agent has the published toolset again');
  await waitUntil('the metric shows it', async () => (await isUpToDate()) === '1');
  expect(await problems()).toEqual([]);
  await waitUntil('there is another Event', async () => (await reasons()).length > 1);
  expect((await reasons()).sort()).toEqual(['AgentNotUpdated', 'AgentUpdated']);
  expect(await serve.stop()).toBe(0);
});

test('the API and explain tell which backend HolmesGPT does not get, because somebody removed it from its ConfigMap', async () => {
  const { cluster, target, env, permit, prometheus, watched } = await withHolmesGpt();
  await permit();
  await prometheus();
  const serve = startServe({
    ...env,
    DISCOVERY_INTERVAL: '1s',
    API_ADDRESS: '127.0.0.1:0',
    AUTH_ENABLED: 'false',
  });
  const { port } = await serve.logged('the API is served');
  const published = async (): Promise<unknown> => {
    const { services } = (await (await fetch(`http://127.0.0.1:${port}/api/v1/services`)).json()) as {
      readonly services: readonly { readonly conditions: readonly Record<string, unknown>[] }[];
    };
    const found = services[0]?.conditions.find(({ type }) => type === 'Published');
    return found && `${found.status} ${found.reason}: ${found.message}`;
  };
  await serve.logged('was restarted');
  expect(await published()).toMatch(/^True InToolset/);
  await cluster.admin.patch(`/api/v1/namespaces/${target}/configmaps/rel-toolsets`, {
    data: { 'custom_toolset.person.yaml': 'toolsets:\n  prometheus/metrics: null\n' },
  });
  await waitUntil('the condition says so', async () =>
    String(await published()).startsWith(
      "False DisabledByAgent: left out of HolmesGPT's own ConfigMap: what people wrote there removes it",
    ),
  );
  const explained = await command(env, 'explain', `${watched}/prometheus`);
  expect(explained.stdout).toContain(
    "left out of HolmesGPT's own ConfigMap: what people wrote there removes it",
  );
  expect(await serve.stop()).toBe(0);
});

test('explain shows before which tools HolmesGPT asks with a list in its own ConfigMap, and the log warns of that list', async () => {
  const { cluster, target, env, permit, watched, backend } = await withHolmesGpt();
  await permit();
  backend.answer((request, response) => void mcpServer()(request, response));
  const host = `orders-mcp.${watched}.svc.cluster.local:8000`;
  const settings = { ...env, CONNECT_TO: `${host}:127.0.0.1:${backend.port}` };
  await cluster.service(watched, {
    name: 'orders-mcp',
    labels: {},
    ports: [{ port: 8000, name: 'mcp' }],
  });
  const serve = startServe(settings);
  await serve.logged('was restarted');
  const explained = async (): Promise<string> =>
    (await command(settings, 'explain', `${watched}/orders-mcp`)).stdout;
  expect(await explained()).toMatch(/runs unasked +list_alerts/);
  const server = `mcp_servers:\n  ${watched}/orders-mcp:\n    approval_required_tools: [list_*, delete_*]\n`;
  await cluster.admin.patch(`/api/v1/namespaces/${target}/configmaps/rel-toolsets`, {
    data: { 'custom_toolset.person.yaml': server },
  });
  await serve.logged('a tool that they do not match runs without a question');
  const text = await explained();
  expect(text).toMatch(/asked first +list_alerts/);
  expect(text).toContain("HolmesGPT's own ConfigMap, mcp_servers");
  expect(await serve.stop()).toBe(0);
});

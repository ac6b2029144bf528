import { expect, test } from 'vitest';
import { waitUntil } from '../cluster/cluster.ts';
import { ALERTS_FILE } from '../monitoring/alert-rules.ts';
import { dashboardExpressions, type Expression } from '../monitoring/expressions.ts';
import { startBackend } from './backend.ts';
import { type Prometheus, program, type Result, startPrometheus } from './prometheus.ts';
import { PUBLISHING, WATCHING } from './rights.ts';
import { startServe } from './serve-process.ts';
import { setting } from './setting.ts';

const missing = program === undefined ? ' (skipped: it is missing, apt-get install prometheus)' : '';

/** Two replicas that elect a leader, with the least rights that they need, and a namespace that is denied. */
async function twoReplicas() {
  const backend = await startBackend();
  const made = await setting({ backendPort: backend.port });
  const { cluster, watched, target } = made;
  const denied = await cluster.namespace('denied');
  const account = await cluster.serviceAccount({
    namespace: target,
    rulesIn: {
      [watched]: WATCHING,
      [target]: [
        ...PUBLISHING,
        {
          apiGroups: ['coordination.k8s.io'],
          resources: ['leases'],
          resourceNames: ['dynamic-toolset'],
          verbs: ['get', 'list', 'watch', 'create', 'update'],
        },
      ],
    },
  });
  const env = {
    ...made.env,
    KUBECONFIG: await cluster.kubeconfig(account),
    NAMESPACES: `${watched},${denied}`,
    LEADER_ELECTION: 'true',
    METRICS_ADDRESS: '127.0.0.1:0',
    METRICS_AUTH_ENABLED: 'false',
    API_ADDRESS: '127.0.0.1:0',
  };
  const start = async (name: string) => {
    const serve = startServe({ ...env, POD_NAME: name });
    const { port } = await serve.logged('metrics are served');
    const api = await serve.logged('the API is served');
    const labels = { namespace: target, pod: name, container: 'dynamic-toolset', service: 'dynamic-toolset' };
    return { serve, target: { port: Number(port), labels }, api: `http://127.0.0.1:${api.port}` };
  };
  return { ...made, start };
}

const finite = ({ value: [, value] }: Result): boolean => Number.isFinite(Number(value));

/** What an expression does not tell: that it has no data, or a label that the words beside it show. */
async function missingIn(prometheus: Prometheus, { where, expr, shown }: Expression): Promise<string[]> {
  const results = (await prometheus.query(expr)).filter(finite);
  if (results.length === 0) return [`${where} has no data: ${expr}`];
  return shown
    .filter((label) => results.every(({ metric }) => metric[label] === undefined))
    .map((label) => `${where} has no label ${label}`);
}

/** Waits until the alerts in a state are these, and no other ones. */
async function alertsAre(prometheus: Prometheus, state: 'firing' | 'pending', names: readonly string[]) {
  let last: string[] = [];
  await waitUntil(
    `these are ${state}: ${names.join(', ')}`,
    async () => {
      last = (await prometheus.rules()).filter((rule) => rule.state === state).map(({ name }) => name);
      return last.sort().join() === [...names].sort().join();
    },
    { limitMs: 30_000 },
  ).catch(() => expect(last).toEqual(names));
}

test.skipIf(program === undefined)(
  `a real Prometheus that scrapes two replicas has data for each panel, and each alert rule is evaluated${missing}`,
  async () => {
    const made = await twoReplicas();
    const { cluster, watched, path } = made;
    await made.prometheus();
    const a = await made.start('a');
    await a.serve.logged('toolset published');
    const b = await made.start('b');
    await b.serve.logged('following leader a_');
    const prometheus = await startPrometheus(ALERTS_FILE, [a.target, b.target]);
    const answering = async (): Promise<boolean> => (await prometheus.query('up == 1')).length === 2;
    await waitUntil('both are scraped', answering, { limitMs: 30_000 });
    // The namespace is denied all the time.
    await alertsAre(prometheus, 'pending', ['DynamicToolsetNamespacesDenied']);
    await alertsAre(prometheus, 'firing', []);

    await made.loki();
    await cluster.service(watched, {
      name: 'down',
      labels: { 'app.kubernetes.io/name': 'elasticsearch' },
      ports: [{ port: 9200, name: 'http' }],
    });
    await a.serve.logged('backend discovered');
    await made.writeOverrides('tools: [');
    await a.serve.logged('overrides.yaml cannot be used');
    await alertsAre(prometheus, 'pending', [
      'DynamicToolsetManyUnhealthy',
      'DynamicToolsetNamespacesDenied',
      'DynamicToolsetOverridesInvalid',
    ]);
    await made.writeOverrides(null);
    await a.serve.logged('overrides.yaml is valid again');
    await cluster.admin.patch(path, { data: { 'toolset.json': '{}' } });
    await a.serve.logged('somebody changed generated content');
    await alertsAre(prometheus, 'firing', ['DynamicToolsetChangedByOthers']);

    // Others lead and follow from now on.
    await a.serve.stop();
    await b.serve.logged('became leader');
    await cluster.admin.create(`/api/v1/namespaces/${made.target}/configmaps`, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'dynamic-toolset-config' },
      data: { 'log-level': 'debug' },
    });
    await b.serve.logged('the configuration changed');
    const untold = async (): Promise<string[]> => {
      await fetch(`${b.api}/api/v1/toolsets`);
      await fetch(`${b.api}/ready`);
      await made.removeService('loki').catch(() => made.loki());
      const told = await Promise.all(dashboardExpressions().map((each) => missingIn(prometheus, each)));
      return told.flat();
    };
    await waitUntil('each panel has data', async () => (await untold()).length === 0, {
      limitMs: 40_000,
      everyMs: 1_000,
    }).catch(async () => expect(await untold()).toEqual([]));
    expect((await prometheus.rules()).filter(({ health }) => health !== 'ok')).toEqual([]);
    await alertsAre(prometheus, 'pending', [
      'DynamicToolsetManyUnhealthy',
      'DynamicToolsetNamespacesDenied',
      'DynamicToolsetReplicaDown',
    ]);
    expect(await b.serve.stop()).toBe(0);
  },
  150_000,
);

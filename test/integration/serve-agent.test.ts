import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { waitUntil } from '../cluster/cluster.ts';
import { holmesgptDeployment } from '../cluster/holmesgpt.ts';
import { startBackend } from './backend.ts';
import { startServe } from './serve-process.ts';
import { setting } from './setting.ts';

const THEIRS = '# from the values of the chart\ntoolsets:\n  internet:\n    enabled: true\n';

interface Deployment {
  readonly spec: {
    readonly template: { readonly metadata: { readonly annotations?: Record<string, string> } };
  };
}

test("serve writes the toolset to HolmesGPT's ConfigMap, restarts it once, and does nothing without changes", async () => {
  const backend = await startBackend();
  const { cluster, account, target, env, prometheus, loki, watched, read } = await setting({
    backendPort: backend.port,
  });
  const { admin } = cluster;
  const deployment = `/apis/apps/v1/namespaces/${target}/deployments/rel-holmes`;
  const configMap = `/api/v1/namespaces/${target}/configmaps/rel-toolsets`;
  await admin.create(`/api/v1/namespaces/${target}/configmaps`, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'rel-toolsets' },
    data: { 'custom_toolset.yaml': THEIRS, 'model_list.yaml': 'models: {}\n' },
  });
  await admin.create(
    `/apis/apps/v1/namespaces/${target}/deployments`,
    holmesgptDeployment('rel-holmes', 'rel-toolsets'),
  );
  await admin.create(`/apis/rbac.authorization.k8s.io/v1/namespaces/${target}/roles`, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'holmes' },
    rules: [
      {
        apiGroups: [''],
        resources: ['configmaps'],
        resourceNames: ['rel-toolsets'],
        verbs: ['get', 'patch'],
      },
      {
        apiGroups: ['apps'],
        resources: ['deployments'],
        resourceNames: ['rel-holmes'],
        verbs: ['get', 'patch'],
      },
    ],
  });
  await admin.create(`/apis/rbac.authorization.k8s.io/v1/namespaces/${target}/rolebindings`, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'holmes' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'holmes' },
    subjects: [{ kind: 'ServiceAccount', name: account.name, namespace: account.namespace }],
  });
  await prometheus();
  const serve = startServe({
    ...env,
    HOLMESGPT_DEPLOYMENT: `${target}/rel-holmes`,
    HOLMESGPT_CONFIGMAP: 'true',
    HOLMESGPT_RELOAD: 'restart',
  });

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

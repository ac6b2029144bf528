import { holmesgptDeployment } from '../cluster/holmesgpt.ts';
import { startBackend } from './backend.ts';
import { setting } from './setting.ts';

/** What HolmesGPT's ConfigMap has at first. */
export const THEIRS = '# from the values of the chart\ntoolsets:\n  internet:\n    enabled: true\n';

/** HolmesGPT's Deployment and ConfigMap, and a way to permit `serve` to change them; `verbs` are those on the ConfigMap. */
export async function withHolmesGpt() {
  const backend = await startBackend();
  const made = await setting({ backendPort: backend.port });
  const { cluster, account, target } = made;
  const { admin } = cluster;
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
  const permit = async (verbs: readonly string[] = ['get', 'list', 'watch', 'patch']): Promise<void> => {
    await admin.create(`/apis/rbac.authorization.k8s.io/v1/namespaces/${target}/roles`, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'holmes' },
      rules: [
        {
          apiGroups: [''],
          resources: ['configmaps'],
          resourceNames: ['rel-toolsets'],
          verbs,
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
  };
  const env = {
    ...made.env,
    HOLMESGPT_DEPLOYMENT: `${target}/rel-holmes`,
    HOLMESGPT_CONFIGMAP: 'true',
    HOLMESGPT_RELOAD: 'restart',
  };
  return { ...made, backend, env, permit };
}

/**
 * A Deployment of HolmesGPT as its chart renders it.
 * @param configMap the ConfigMap with its toolsets, which may be absent
 * @param more further fields of the spec
 */
export function holmesgptDeployment(name: string, configMap: string, more: object = {}) {
  const labels = { app: 'holmes' };
  const volume = { name: 'custom-toolsets-configmap' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels, annotations: { 'checksum/toolset-config': 'abc' } },
        spec: {
          containers: [
            {
              name: 'holmes',
              image: 'holmes',
              volumeMounts: [{ ...volume, mountPath: '/etc/holmes/config' }],
            },
          ],
          volumes: [{ ...volume, configMap: { name: configMap, optional: true } }],
        },
      },
      ...more,
    },
  };
}

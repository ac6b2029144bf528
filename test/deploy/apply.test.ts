import { beforeAll, beforeEach, expect, test } from 'vitest';
import { testCluster } from '../cluster/cluster.ts';
import { noHelm, objects } from './chart.ts';
import { install, installMonitoringKinds } from './install.ts';
import { matrix, type Places } from './matrix.ts';

beforeEach(({ skip }) => skip(noHelm !== undefined, noHelm));

beforeAll(() => installMonitoringKinds(testCluster().admin));

const nothing: Places = { watched: 'x', other: 'x', holmes: 'x' };

test.each(Object.keys(matrix(nothing)))(
  'the API server accepts every object, and the Pod in a namespace with the restricted policy: %s',
  async (name) => {
    const { admin, namespace } = testCluster();
    const release = {
      name: 'dynamic-toolset',
      namespace: await namespace('release', { 'pod-security.kubernetes.io/enforce': 'restricted' }),
    };
    const places = {
      watched: await namespace('watched'),
      other: await namespace('other'),
      holmes: await namespace('holmes'),
    };
    const all = await objects(matrix(places)[name], release);
    for (const object of all) await install(admin, object);
    const { spec } = all.find(({ kind }) => kind === 'Deployment') as unknown as {
      spec: { template: { metadata: object; spec: object } };
    };
    const { priorityClassName: _, ...podSpec } = spec.template.spec as Record<string, unknown>;
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...spec.template.metadata, name: 'pod', namespace: release.namespace },
      spec: podSpec,
    };
    await install(admin, pod);
    const wrong = { ...pod, metadata: { name: 'root', namespace: release.namespace } };
    await expect(
      install(admin, { ...wrong, spec: { ...podSpec, securityContext: { runAsUser: 0 } } }),
    ).rejects.toThrow('violates PodSecurity');
  },
);

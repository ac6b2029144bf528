import { describe, expect, test } from 'vitest';
import { connect } from '../../src/kubernetes/connection.ts';
import { findOwner } from '../../src/kubernetes/owner.ts';
import { type Cluster, testCluster } from '../cluster/cluster.ts';
import type { StoredObject } from '../cluster/rest.ts';

const PODS = { apiGroups: [''], resources: ['pods'], verbs: ['get'] };
const REPLICA_SETS = { apiGroups: ['apps'], resources: ['replicasets'], verbs: ['get'] };

const template = {
  metadata: { labels: { app: 'x' } },
  spec: { containers: [{ name: 'x', image: 'registry.example/x' }] },
};

/** What the controllers would make: an object of `apps/v1` or a Pod, with the object that controls it. */
async function create(cluster: Cluster, namespace: string, kind: string, name: string, owner?: StoredObject) {
  const root = kind === 'Pod' ? '/api/v1' : '/apis/apps/v1';
  const ownerReferences =
    owner === undefined
      ? []
      : [
          {
            apiVersion: 'apps/v1',
            kind: owner.kind,
            name: owner.metadata.name,
            uid: owner.metadata.uid,
            controller: true,
          },
        ];
  return cluster.admin.create(`${root}/namespaces/${namespace}/${kind.toLowerCase()}s`, {
    apiVersion: kind === 'Pod' ? 'v1' : 'apps/v1',
    kind,
    metadata: { name, labels: { app: 'x' }, ownerReferences },
    spec:
      kind === 'Pod'
        ? template.spec
        : {
            selector: { matchLabels: { app: 'x' } },
            template,
            ...(kind === 'StatefulSet' ? { serviceName: 'x' } : {}),
          },
  });
}

async function setting(rules: readonly (typeof PODS)[]) {
  const cluster = testCluster();
  const namespace = await cluster.namespace('owner');
  const account = await cluster.serviceAccount({ namespace, rulesIn: { [namespace]: rules } });
  const kube = connect({
    kubeconfig: await cluster.kubeconfig(account),
    origin: 'of the test',
    context: undefined,
  });
  const deployment = await create(cluster, namespace, 'Deployment', 'serve');
  const replicaSet = await create(cluster, namespace, 'ReplicaSet', 'serve-1', deployment);
  await create(cluster, namespace, 'Pod', 'serve-1-a', replicaSet);
  const find = (name: string, target = namespace, signal = new AbortController().signal) =>
    findOwner(kube, { namespace, name }, target, signal);
  return { cluster, namespace, kube, deployment, find };
}

test('the Deployment of a Pod, with minimal permissions; the API server accepts it as an owner', async () => {
  const { cluster, namespace, deployment, find } = await setting([PODS, REPLICA_SETS]);
  const found = await find('serve-1-a');
  expect(found).toEqual({
    owner: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'serve', uid: deployment.metadata.uid },
  });
  const stored = await cluster.admin.create(`/api/v1/namespaces/${namespace}/configmaps`, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'x', ownerReferences: 'owner' in found ? [found.owner] : [] },
  });
  expect(stored.metadata.ownerReferences).toEqual(['owner' in found ? found.owner : undefined]);
});

describe('there is none, with the reason', () => {
  test('for the Pods and targets that have none', async () => {
    const { cluster, namespace, kube, find } = await setting([PODS, REPLICA_SETS]);
    const set = await create(cluster, namespace, 'StatefulSet', 'stateful');
    await create(cluster, namespace, 'Pod', 'bare');
    await create(cluster, namespace, 'Pod', 'stateful-0', set);
    await create(cluster, namespace, 'Pod', 'lone-a', await create(cluster, namespace, 'ReplicaSet', 'lone'));
    const again = await create(cluster, namespace, 'ReplicaSet', 'again');
    await create(cluster, namespace, 'Pod', 'again-a', {
      ...again,
      metadata: { ...again.metadata, uid: 'another' },
    });
    await create(cluster, namespace, 'Pod', 'gone-a', {
      ...again,
      metadata: { ...again.metadata, name: 'gone' },
    });
    const said = async (name: string, target?: string) => {
      const found = await find(name, target);
      return 'none' in found ? found.none : found;
    };
    expect(await said('bare')).toBe('Pod bare is not one of a Deployment: no ReplicaSet controls it');
    expect(await said('stateful-0')).toMatch(/^Pod stateful-0 is not one of a Deployment/);
    expect(await said('lone-a')).toBe('ReplicaSet lone is not one of a Deployment');
    expect(await said('again-a')).toBe('ReplicaSet again is another one than that of Pod again-a');
    expect(await said('gone-a')).toBe(`there is no ReplicaSet gone in namespace ${namespace}`);
    expect(await said('nobody')).toBe(`there is no Pod nobody in namespace ${namespace}`);
    expect(await said('serve-1-a', 'elsewhere')).toMatch(/an owner must be in the same one$/);
    const signal = new AbortController().signal;
    expect(await findOwner(kube, undefined, namespace, signal)).toEqual({
      none: expect.stringContaining('not a Pod'),
    });
  });

  test.each([
    [
      'pods',
      [REPLICA_SETS],
      'reading Pod serve-1-a in namespace NS was denied; grant "get" on pods there with a Role',
    ],
    [
      'replicasets',
      [PODS],
      'reading ReplicaSet serve-1 in namespace NS was denied; grant "get" on replicasets.apps there with a Role',
    ],
  ])('if %s may not be read', async (_, rules, expected) => {
    const { namespace, find } = await setting(rules);
    expect(await find('serve-1-a')).toEqual({ none: expected.replace('NS', namespace) });
  });
});

test('a server that does not respond is an error', async () => {
  const { find } = await setting([PODS, REPLICA_SETS]);
  await expect(find('serve-1-a', undefined, AbortSignal.abort())).rejects.toThrow(/abort/i);
});

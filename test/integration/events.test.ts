import { expect, test } from 'vitest';
import { connect } from '../../src/kubernetes/connection.ts';
import { eventRecorder } from '../../src/kubernetes/events.ts';
import type { Problem } from '../../src/model/discovery.ts';
import { testCluster } from '../cluster/cluster.ts';
import type { StoredObject } from '../cluster/rest.ts';

const CONFIG_MAP = 'kubernaut-toolset-config';
const RIGHTS = [{ apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] }];

/** A ConfigMap, and a recorder about it with an account of its own and a clock that is set by hand. */
async function setting(rules: typeof RIGHTS) {
  const cluster = testCluster();
  const namespace = await cluster.namespace('events');
  const account = await cluster.serviceAccount({ namespace, rulesIn: { [namespace]: rules } });
  const configMap = await cluster.admin.create(`/api/v1/namespaces/${namespace}/configmaps`, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: CONFIG_MAP },
  });
  const clock = { time: Date.now() };
  const problems: Problem[] = [];
  const recorder = eventRecorder(
    connect({ kubeconfig: await cluster.kubeconfig(account), origin: 'of the test', context: undefined }),
    {
      regarding: { namespace, name: CONFIG_MAP, uid: () => configMap.metadata.uid },
      instance: 'pod-0',
      now: () => new Date(clock.time),
      onProblem: (problem) => problems.push(problem),
      signal: new AbortController().signal,
    },
  );
  const list = async (path: string) =>
    (await cluster.admin.get<{ readonly items: readonly Record<string, unknown>[] }>(path)).items;
  return {
    cluster,
    namespace,
    uid: configMap.metadata.uid,
    clock,
    problems,
    tell: async (note: string, type: 'Normal' | 'Warning' = 'Normal') => {
      recorder.record({ type, reason: 'Published', action: 'Publish', note });
      await recorder.flush();
    },
    events: () => list(`/apis/events.k8s.io/v1/namespaces/${namespace}/events`),
    /** As `kubectl get events` and `kubectl describe` ask for them. */
    asKubectl: () =>
      list(
        `/api/v1/namespaces/${namespace}/events?${new URLSearchParams({
          fieldSelector: `involvedObject.kind=ConfigMap,involvedObject.name=${CONFIG_MAP},involvedObject.uid=${configMap.metadata.uid}`,
        })}`,
      ),
  };
}

test('Events are accepted with minimal permissions, and found by their ConfigMap', async () => {
  const { tell, events, asKubectl, problems, namespace, uid } = await setting(RIGHTS);
  await tell('A toolset with 3 tools was published');
  await tell(`a long one 😀${'é'.repeat(2_000)}`, 'Warning');
  expect(problems).toEqual([]);
  expect(await events()).toMatchObject([
    {
      regarding: { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: CONFIG_MAP, uid },
      reportingController: 'kubernaut.io/dynamic-toolset',
      reportingInstance: 'pod-0',
      type: 'Normal',
      reason: 'Published',
      note: 'A toolset with 3 tools was published',
    },
    { type: 'Warning' },
  ]);
  expect(await asKubectl()).toHaveLength(2);
});

test('a repeated Event becomes a series, as kubectl shows it', async () => {
  const { cluster, namespace, tell, clock, events, problems } = await setting(RIGHTS);
  for (let number = 0; number < 4; number++) {
    await tell('the same');
    clock.time += 60_000;
  }
  expect(problems).toEqual([]);
  const found = await events();
  expect(found).toMatchObject([{ series: { count: 4 } }]);
  const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
  await cluster.admin.delete(`${path}/${(found[0] as unknown as StoredObject).metadata.name}`);
  await tell('the same');
  expect(problems).toEqual([]);
  expect(await events()).toMatchObject([{ series: { count: 5 } }]);
});

test('no more than 25 at once', async () => {
  const { tell, clock, events, problems } = await setting(RIGHTS);
  for (let number = 0; number < 30; number++) await tell(`number ${number}`);
  expect(await events()).toHaveLength(25);
  clock.time += 5 * 60_000;
  await tell('later');
  expect((await events()).map(({ note }) => note)).toContain(
    'later (5 Events before this one were left out)',
  );
  expect(problems).toEqual([]);
});

test('denied: reported once, with the permissions to grant', async () => {
  const { tell, events, problems, namespace } = await setting([
    { apiGroups: [''], resources: ['configmaps'], verbs: ['get'] },
  ]);
  await tell('a');
  await tell('b');
  expect(await events()).toEqual([]);
  expect(problems).toHaveLength(1);
  expect(problems[0]?.what).toMatch(/denied: events\.events\.k8s\.io is forbidden/);
  expect(problems[0]?.fix).toBe(
    `grant "create" and "patch" on events.events.k8s.io in namespace ${namespace} with a Role`,
  );
});

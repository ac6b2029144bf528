import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { connect } from '../../src/kubernetes/connection.ts';
import { loadFaults } from '../../src/outputs/holmesgpt/contract/contract.ts';
import { AgentFollower } from '../../src/outputs/holmesgpt/follow/follower.ts';
import { holmesTarget, publishedTarget } from '../../src/outputs/holmesgpt/follow/publisher.ts';
import { restarter } from '../../src/outputs/holmesgpt/follow/reload.ts';
import {
  FILE,
  HAND_WRITTEN,
  type HolmesFile,
  REJECTED,
} from '../../src/outputs/holmesgpt/merge/agent-file.ts';
import { EditMemory } from '../../src/outputs/holmesgpt/merge/edit-memory.ts';
import { joinDocuments } from '../../src/outputs/holmesgpt/merge/join.ts';
import type { JoinOptions } from '../../src/outputs/holmesgpt/merge/join-options.ts';
import { learnEdit } from '../../src/outputs/holmesgpt/merge/learn.ts';
import { mergeForAgent } from '../../src/outputs/holmesgpt/merge/merge.ts';
import { holmesText } from '../../src/outputs/holmesgpt/render/text.ts';
import type { FollowOutcome } from '../../src/outputs/output.ts';
import { testCluster } from '../cluster/cluster.ts';
import { holmesgptDeployment } from '../cluster/holmesgpt.ts';

const JOIN: JoinOptions = { holmesgptVersion: '0.32', standsAlone: true };
const holmes: HolmesFile = {
  write: holmesText,
  fault: (document) => loadFaults(document)[0]?.message,
  join: (generated, person) => joinDocuments(generated, person, JOIN),
  withoutDuplicates: (document) => ({ document, notes: [] }),
  learn: (patch, edit) => learnEdit(patch, edit, JOIN),
};
const { signal } = new AbortController();

const HELM = '# Rendered by Helm.\ntoolsets:\n  internet: {enabled: true}\n';
const generated = (url: string): string =>
  `toolsets:\n  prometheus/metrics:\n    enabled: true\n    config:\n      prometheus_url: ${url}\n`;

interface Stored {
  readonly metadata: {
    readonly resourceVersion: string;
    readonly labels: Record<string, string>;
    readonly annotations: Record<string, string>;
    readonly managedFields: { manager: string; operation: string; fieldsV1: { 'f:data'?: object } }[];
  };
  readonly data: Record<string, string>;
}

interface StoredDeployment {
  readonly metadata: { readonly generation: number };
  readonly spec: {
    readonly template: { readonly metadata: { readonly annotations?: Record<string, string> } };
  };
}

/** HolmesGPT as its chart installs it, an account with exactly the documented rights, and what follows for it. */
async function setting(
  rights: { readonly write?: boolean; readonly restart?: boolean } = { write: true, restart: true },
) {
  const cluster = testCluster();
  const ours = await cluster.namespace('ours');
  const theirs = await cluster.namespace('holmes');
  const verbs = (write: boolean | undefined): string[] => (write === true ? ['get', 'patch'] : ['get']);
  const account = await cluster.serviceAccount({
    namespace: ours,
    rulesIn: {
      [theirs]: [
        {
          apiGroups: ['apps'],
          resources: ['deployments'],
          resourceNames: ['rel-holmes'],
          verbs: verbs(rights.restart),
        },
        {
          apiGroups: [''],
          resources: ['configmaps'],
          resourceNames: ['rel-toolsets'],
          verbs: verbs(rights.write),
        },
      ],
    },
  });
  const configMapPath = `/api/v1/namespaces/${theirs}/configmaps/rel-toolsets`;
  const deploymentPath = `/apis/apps/v1/namespaces/${theirs}/deployments/rel-holmes`;
  const { admin } = cluster;
  const kube = connect({ kubeconfig: await cluster.kubeconfig(account), origin: 'test', context: undefined });
  const deployment = { namespace: theirs, name: 'rel-holmes' };
  const clock = { now: Date.parse('2026-01-02T03:04:05Z') };
  const follower = (mounts: 'theirs' | 'ours' = 'theirs') =>
    new AgentFollower({
      target:
        mounts === 'ours'
          ? publishedTarget
          : holmesTarget(kube, {
              memory: new EditMemory(new Map()),
              deployment,
              published: { namespace: ours, name: 'published' },
              check: () => undefined,
              merge: async (offered, live, tools) => mergeForAgent(offered, live, holmes, tools),
            }),
      reloader: restarter(kube, deployment),
      reloadInterval: 300_000,
      checkInterval: 300_000,
      now: () => clock.now,
      date: () => new Date(clock.now),
      random: () => 1,
    });
  const follow = (agent: AgentFollower, file: string): Promise<readonly FollowOutcome[]> =>
    agent.follow({ documents: { 'custom_toolset.yaml': file }, tools: [], written: [] }, signal);
  return {
    admin,
    ours,
    theirs,
    clock,
    follower,
    follow,
    configMapPath,
    deploymentPath,
    configMap: () => admin.get<Stored>(configMapPath),
    annotations: async () =>
      (await admin.get<StoredDeployment>(deploymentPath)).spec.template.metadata.annotations ?? {},
    installConfigMap: (more: object = {}) =>
      admin.create(`/api/v1/namespaces/${theirs}/configmaps`, {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: {
          name: 'rel-toolsets',
          labels: { 'app.kubernetes.io/managed-by': 'Helm' },
          annotations: { 'meta.helm.sh/release-name': 'rel' },
        },
        data: { [FILE]: HELM, 'model_list.yaml': 'gpt:\r\n  x: "ü"   \n\n' },
        ...more,
      }),
    installDeployment: (more: object = {}) =>
      admin.create(
        `/apis/apps/v1/namespaces/${theirs}/deployments`,
        holmesgptDeployment('rel-holmes', 'rel-toolsets', more),
      ),
  };
}

const kinds = (outcomes: readonly FollowOutcome[]): string[] => outcomes.map(({ kind }) => kind);

describe('HolmesGPT’s own ConfigMap', () => {
  test('gets the generated content; existing content stays, and HolmesGPT is restarted as kubectl does', async () => {
    const { installConfigMap, installDeployment, follower, follow, configMap, annotations } = await setting();
    await installConfigMap();
    await installDeployment();
    const agent = follower();
    expect(kinds(await follow(agent, generated('http://a:9090')))).toEqual([
      'agent-written',
      'agent-restarted',
    ]);

    const stored = await configMap();
    expect(parse(stored.data[FILE] ?? '')).toEqual({
      toolsets: {
        'prometheus/metrics': { enabled: true, config: { prometheus_url: 'http://a:9090' } },
        internet: { enabled: true },
      },
    });
    expect(stored.data[HAND_WRITTEN]).toBe(HELM);
    expect(stored.data['model_list.yaml']).toBe('gpt:\r\n  x: "ü"   \n\n');
    expect(stored.metadata.labels).toEqual({ 'app.kubernetes.io/managed-by': 'Helm' });
    expect(stored.metadata.annotations['meta.helm.sh/release-name']).toBe('rel');
    const fields = stored.metadata.managedFields.find(({ manager }) => manager === 'dynamic-toolset');
    expect(fields?.operation).toBe('Apply');
    expect(Object.keys(fields?.fieldsV1['f:data'] ?? {}).sort()).toEqual(
      [`f:${FILE}`, `f:${HAND_WRITTEN}`, 'f:custom_toolset.generated.yaml'].sort(),
    );
    expect(await annotations()).toEqual({
      'checksum/toolset-config': 'abc',
      'kubectl.kubernetes.io/restartedAt': '2026-01-02T03:04:05Z',
      'kubernaut.io/toolset-hash': expect.stringMatching(/^1-[0-9a-f]{16}$/),
    });
  });

  test('without changes, nothing is written or restarted, also by another process', async () => {
    const { installConfigMap, installDeployment, follower, follow, configMap, admin, deploymentPath, clock } =
      await setting();
    await installConfigMap();
    await installDeployment();
    const agent = follower();
    await follow(agent, generated('http://a:9090'));
    const version = (await configMap()).metadata.resourceVersion;
    const { generation } = (await admin.get<StoredDeployment>(deploymentPath)).metadata;
    clock.now += 3_600_000;
    expect(await follow(agent, generated('http://a:9090'))).toEqual([]);
    expect(await follow(follower(), generated('http://a:9090'))).toEqual([]);
    expect((await configMap()).metadata.resourceVersion).toBe(version);
    expect((await admin.get<StoredDeployment>(deploymentPath)).metadata.generation).toBe(generation);
  });

  test('Helm renders its file again and starts the Pods: our content is restored, and they are restarted', async () => {
    const {
      installConfigMap,
      installDeployment,
      follower,
      follow,
      configMap,
      annotations,
      admin,
      configMapPath,
      clock,
    } = await setting();
    await installConfigMap();
    await installDeployment();
    const agent = follower();
    await follow(agent, generated('http://a:9090'));
    const before = await configMap();
    await admin.patch(configMapPath, { data: { [FILE]: HELM } });
    clock.now += 3_600_000;
    expect(kinds(await follow(agent, generated('http://a:9090')))).toEqual([
      'agent-written',
      'agent-restarted',
    ]);
    const text = before.data[FILE]?.replace('# Version 1-', '# Version 2-');
    expect((await configMap()).data).toEqual({ ...before.data, [FILE]: text });
    expect((await annotations())['kubernaut.io/toolset-hash']).toMatch(/^2-/);

    const other = '# Other values.\ntoolsets:\n  slab: {enabled: true}\n';
    await admin.patch(configMapPath, { data: { [FILE]: other } });
    clock.now += 3_600_000;
    await follow(agent, generated('http://a:9090'));
    const after = await configMap();
    expect(after.data[HAND_WRITTEN]).toBe(other);
    expect(Object.keys(parse(after.data[FILE] ?? '').toolsets)).toEqual(['prometheus/metrics', 'slab']);
  });

  /** What becomes of the toolset where a person adds a line to its configuration, and its backend then moves. */
  /** Somebody adds an option to the only backend, while another one takes its place. */
  async function editedAndMoved(line: string) {
    const { installConfigMap, installDeployment, follower, follow, configMap, admin, configMapPath, clock } =
      await setting();
    await installConfigMap();
    await installDeployment();
    const agent = follower();
    await follow(agent, generated('http://a:9090'));
    const text = (await configMap()).data[FILE] ?? '';
    const edited = text.replace(
      'prometheus_url: http://a:9090',
      `prometheus_url: http://a:9090\n      ${line}`,
    );
    await admin.patch(configMapPath, { data: { [FILE]: edited } });
    clock.now += 3_600_000;
    const outcomes = await follow(agent, generated('http://b:9090'));
    const { data } = await configMap();
    return { outcomes, data, edited, config: parse(data[FILE] ?? '').toolsets['prometheus/metrics'].config };
  }

  test('a manual edit is kept through later changes', async () => {
    const { outcomes, config } = await editedAndMoved('query_timeout_seconds_default: 7');
    expect(outcomes).toMatchObject([
      { kind: 'agent-written', learned: ['toolsets prometheus/metrics'] },
      { kind: 'agent-restarted' },
    ]);
    expect(config).toEqual({ prometheus_url: 'http://b:9090', query_timeout_seconds_default: 7 });
  });

  test('an approval for one backend goes to no other one, is not lost, and does not bring that one back', async () => {
    const { outcomes, config, data, edited } = await editedAndMoved('verify_ssl: false');
    const what = 'edits of toolsets prometheus/metrics were not applied';
    expect(outcomes).toMatchObject([
      { kind: 'agent-written' },
      { kind: 'agent-note', problem: { what: expect.stringContaining(what) } },
      { kind: 'agent-restarted' },
    ]);
    expect(config).toEqual({ prometheus_url: 'http://b:9090' });
    expect(Object.entries(data).filter(([key]) => key.startsWith(REJECTED))).toEqual([
      [expect.anything(), edited],
    ]);
  });

  test('an invalid file of a user is not changed, and nothing is restarted', async () => {
    const { installConfigMap, installDeployment, follower, follow, configMap, annotations } = await setting();
    await installConfigMap({ data: { [FILE]: 'toolsets: [' } });
    await installDeployment();
    expect(await follow(follower(), generated('http://a'))).toMatchObject([
      { kind: 'agent-refused', problem: { what: expect.stringContaining('cannot be read') } },
    ]);
    expect((await configMap()).data).toEqual({ [FILE]: 'toolsets: [' });
    expect(await annotations()).toEqual({ 'checksum/toolset-config': 'abc' });
  });

  test('an immutable ConfigMap and a missing one are reported', async () => {
    const { installConfigMap, installDeployment, follower, follow, admin, configMapPath } = await setting();
    await installDeployment();
    const missing = await follow(follower(), generated('http://a'));
    expect(missing).toMatchObject([{ problem: { what: expect.stringContaining('does not exist') } }]);
    await expect(admin.get(configMapPath)).rejects.toThrow(/not found/);
    await installConfigMap({ immutable: true });
    const fixed = await follow(follower(), generated('http://a'));
    expect(fixed).toMatchObject([{ problem: { what: expect.stringContaining('immutable') } }]);
  });

  test('without permission to write it: reported with the fix, and retried', async () => {
    const { installConfigMap, installDeployment, follower, follow, configMap } = await setting({
      restart: true,
    });
    await installConfigMap();
    await installDeployment();
    const agent = follower();
    const [failed] = await follow(agent, generated('http://a'));
    if (failed?.kind !== 'agent-failed') throw new Error(`not failed: ${failed?.kind}`);
    expect(String(failed.error)).toMatch(/cannot write ConfigMap .*rel-toolsets.*forbidden.*grant it/);
    expect(agent.nextDue()).toBe(5_000);
    expect((await configMap()).data[FILE]).toBe(HELM);
  });
});

describe('restarts', () => {
  test('one at once, then one per interval; the last change gets through', async () => {
    const { installConfigMap, installDeployment, follower, follow, annotations, clock } = await setting();
    await installConfigMap();
    await installDeployment();
    const agent = follower();
    await follow(agent, generated('http://a'));
    clock.now += 1_000;
    expect(await follow(agent, generated('http://b'))).toMatchObject([
      { kind: 'agent-written' },
      { kind: 'agent-reload-delayed', dueIn: 299_000 },
    ]);
    clock.now += 1_000;
    expect(kinds(await follow(agent, generated('http://c')))).toEqual(['agent-written']);
    expect(agent.nextDue()).toBe(298_000);
    expect((await annotations())['kubernaut.io/toolset-hash']).toMatch(/^1-/);
    clock.now += 298_000;
    expect(kinds(await follow(agent, generated('http://c')))).toEqual(['agent-restarted']);
    expect((await annotations())['kubernaut.io/toolset-hash']).toMatch(/^3-/);
  });

  test('a new process keeps the interval of the previous one', async () => {
    const { installConfigMap, installDeployment, follower, follow, clock } = await setting();
    await installConfigMap();
    await installDeployment();
    await follow(follower(), generated('http://a'));
    clock.now += 100_000;
    expect(await follow(follower(), generated('http://b'))).toMatchObject([
      { kind: 'agent-written' },
      { kind: 'agent-reload-delayed', dueIn: 200_000 },
    ]);
  });

  test('two concurrent processes, and other writers: one restart, and no change is lost', async () => {
    const {
      installConfigMap,
      installDeployment,
      follower,
      follow,
      configMap,
      admin,
      configMapPath,
      deploymentPath,
    } = await setting();
    await installConfigMap();
    await installDeployment();
    const others = Array.from({ length: 3 }, (_, index) =>
      admin.patch(configMapPath, { data: { [`other-${index}`]: 'x' } }),
    );
    const results = await Promise.all([
      follow(follower(), generated('http://a')),
      follow(follower(), generated('http://a')),
      ...others,
    ]);
    const outcomes = results.slice(0, 2).flat() as FollowOutcome[];
    expect(kinds(outcomes).sort()).toEqual(['agent-restarted', 'agent-written']);
    expect((await admin.get<StoredDeployment>(deploymentPath)).metadata.generation).toBe(2);
    const stored = await configMap();
    expect(stored.data).toMatchObject({
      [HAND_WRITTEN]: HELM,
      'other-0': 'x',
      'other-1': 'x',
      'other-2': 'x',
    });
    expect(stored.metadata.annotations['kubernaut.io/agent-file-revision']).toBe('1');
  });

  test('two processes restart at the same time: there is one restart', async () => {
    const { installDeployment, follower, follow, admin, deploymentPath } = await setting();
    await installDeployment();
    const both = [follower('ours'), follower('ours')].map((agent) => follow(agent, generated('http://a')));
    expect(kinds((await Promise.all(both)).flat())).toEqual(['agent-restarted']);
    expect((await admin.get<StoredDeployment>(deploymentPath)).metadata.generation).toBe(2);
  });

  test('HolmesGPT mounts the published ConfigMap: it is restarted too, without permission for ConfigMaps', async () => {
    const { installDeployment, follower, follow, annotations, clock } = await setting();
    await installDeployment();
    const agent = follower('ours');
    expect(kinds(await follow(agent, generated('http://a')))).toEqual(['agent-restarted']);
    const hash = (await annotations())['kubernaut.io/toolset-hash'];
    clock.now += 3_600_000;
    expect(await follow(follower('ours'), generated('http://a'))).toEqual([]);
    expect(kinds(await follow(agent, generated('http://b')))).toEqual(['agent-restarted']);
    expect((await annotations())['kubernaut.io/toolset-hash']).not.toBe(hash);
  });

  test.each<[string, { deployment: boolean; paused?: boolean; restart: boolean }, RegExp]>([
    [
      'no Deployment',
      { deployment: false, restart: true },
      /rel-holmes does not exist.*HOLMESGPT_DEPLOYMENT/,
    ],
    [
      'no right to it',
      { deployment: true, restart: false },
      /cannot restart Deployment .*forbidden.*grant it/,
    ],
    ['a paused one', { deployment: true, paused: true, restart: true }, /paused.*rollout resume/],
  ])('%s: reported, and retried', async (_, { deployment, paused, restart }, message) => {
    const { installDeployment, follower, follow, annotations } = await setting({ restart });
    if (deployment) await installDeployment(paused === true ? { paused } : {});
    const agent = follower('ours');
    const [failed] = await follow(agent, generated('http://a'));
    if (failed?.kind !== 'agent-failed') throw new Error(`not failed: ${failed?.kind}`);
    expect(String(failed.error)).toMatch(message);
    expect(agent.nextDue()).toBe(5_000);
    if (deployment) expect(await annotations()).not.toHaveProperty(['kubernaut.io/toolset-hash']);
  });
});

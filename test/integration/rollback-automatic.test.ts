import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { waitUntil } from '../cluster/cluster.ts';
import { startServe } from './serve-process.ts';
import { SELDOM, type Setting, setting, toolNames } from './setting.ts';

const POLICIES = '/apis/admissionregistration.k8s.io/v1';

/**
 * Something between serve and the API server's store that spoils documents with Loki in them, as an admission webhook
 * may do: a policy of the API server itself, for one namespace.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
 */
async function spoilLoki({ cluster, target }: Pick<Setting, 'cluster' | 'target'>): Promise<void> {
  const name = `spoil-${target}`;
  const remove = async (): Promise<void> => {
    await cluster.admin.delete(`${POLICIES}/mutatingadmissionpolicybindings/${name}`);
    await cluster.admin.delete(`${POLICIES}/mutatingadmissionpolicies/${name}`);
  };
  onTestFinished(remove);
  await cluster.admin.create(`${POLICIES}/mutatingadmissionpolicies`, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicy',
    metadata: { name },
    spec: {
      failurePolicy: 'Fail',
      reinvocationPolicy: 'Never',
      matchConstraints: {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': target } },
        resourceRules: [
          {
            apiGroups: [''],
            apiVersions: ['v1'],
            operations: ['CREATE', 'UPDATE'],
            resources: ['configmaps'],
          },
        ],
      },
      matchConditions: [
        {
          name: 'loki',
          expression:
            "has(object.data) && 'toolset.json' in object.data && object.data['toolset.json'].contains('loki')",
        },
      ],
      mutations: [
        {
          patchType: 'JSONPatch',
          jsonPatch: {
            expression: `[JSONPatch{op: "replace", path: "/data/toolset.json", value: "{ spoiled, loki"}]`,
          },
        },
      ],
    },
  });
  await cluster.admin.create(`${POLICIES}/mutatingadmissionpolicybindings`, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicyBinding',
    metadata: { name },
    spec: { policyName: name },
  });
  // The API server learns of a policy a moment later.
  const configMaps = `/api/v1/namespaces/${target}/configmaps`;
  await waitUntil('the policy counts', async () => {
    const sent = { 'toolset.json': 'loki' };
    const probe = await cluster.admin.create<{ data: Record<string, string> }>(`${configMaps}?dryRun=All`, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'probe' },
      data: sent,
    });
    return probe.data['toolset.json'] !== sent['toolset.json'];
  });
}

test('documents that are corrupted by a webhook are read back, rolled back, held without a loop, and published when inputs change', async () => {
  const given = await setting();
  const { cluster, watched, env, read, still, revisions } = given;
  await given.prometheus();
  const serve = startServe({ ...env, ...SELDOM, DISCOVERY_INTERVAL: '1s' });
  await serve.logged('toolset published');
  const mine = '# mine\r\ntools: {}  \n';
  await given.writeOverrides(mine);
  await waitUntil('that is remembered', async () => (await revisions()).length === 2);
  const good = await still();

  await spoilLoki(given);
  await given.loki();
  const line = await serve.logged('rolled back to revision');
  expect(line).toMatchObject({ level: 'error', revision: 2 });
  expect(String(line.faults)).toContain('toolset.json');
  await serve.logged('holds until the inputs change');
  const back = await still();
  expect(back.data).toEqual(good.data);
  expect(back.data['overrides.yaml']).toBe(mine);
  expect(back.metadata.annotations['kubernaut.io/rolled-back-to']).toBe('2');
  // Corrupted content is not remembered, the policy is not fought, and a restart changes nothing.
  await sleep(2_500);
  expect((await read()).metadata.resourceVersion).toBe(back.metadata.resourceVersion);
  expect((await revisions()).every(({ data }) => !data['toolset.json']?.includes('loki'))).toBe(true);
  await serve.stop();
  const second = startServe({ ...env, ...SELDOM });
  await second.logged('holds until the inputs change');
  expect((await still()).metadata.resourceVersion).toBe(back.metadata.resourceVersion);

  await given.removeService('loki');
  await cluster.service(watched, {
    name: 'tempo',
    labels: { 'app.kubernetes.io/name': 'tempo' },
    ports: [{ port: 3200, name: 'http' }],
  });
  await waitUntil(
    'it goes on',
    async () => toolNames(await read()).join() === `prometheus.${watched},tempo.${watched}`,
  );
  const now = await still();
  expect(now.metadata.annotations).not.toHaveProperty(['kubernaut.io/rolled-back-to']);
  expect(now.data['overrides.yaml']).toBe(mine);
  expect(
    [...serve.lines, ...second.lines].filter(({ message }) => message.includes('rolled back')),
  ).toHaveLength(1);
});

test('a revision with what overrides switch off now is skipped', async () => {
  const given = await setting();
  const { cluster, watched, env, read, still, revisions } = given;
  await given.prometheus();
  const first = startServe({ ...env, ...SELDOM });
  await first.logged('toolset published');
  await cluster.service(watched, {
    name: 'tempo',
    labels: { 'app.kubernetes.io/name': 'tempo' },
    ports: [{ port: 3200, name: 'http' }],
  });
  await waitUntil('both are remembered', async () => (await revisions()).length === 2);
  await first.stop();
  await given.writeOverrides(`tools: { ${watched}/tempo: { enabled: false } }\n`);
  await spoilLoki(given);
  await given.loki();
  const serve = startServe({ ...env, ...SELDOM });
  expect(await serve.logged('rolled back to revision')).toMatchObject({ revision: 1 });
  await still();
  expect(toolNames(await read())).toEqual([`prometheus.${watched}`]);
});

test('corrupted without a revision to return to: reported, and retried with backoff', async () => {
  const given = await setting();
  await spoilLoki(given);
  await given.loki();
  const serve = startServe({ ...given.env, ...SELDOM });
  const line = await serve.logged('there is no revision to return to');
  expect(line).toMatchObject({ level: 'error' });
  expect(line.message).toMatch(/admission webhooks/);
  await sleep(4_000);
  const errors = serve.lines.filter(({ message }) => message.includes('was not published'));
  expect(errors.length).toBeLessThanOrEqual(5);
});

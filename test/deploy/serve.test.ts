import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { type Cluster, testCluster, waitUntil } from '../cluster/cluster.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { holmesgptDeployment } from '../cluster/holmesgpt.ts';
import { noHelm, type Values } from './chart.ts';
import { matrix } from './matrix.ts';
import type { Asked } from './recorder.ts';
import { type Released, type Replica, release } from './released.ts';
import { isOf, rightsOf } from './rights.ts';

const LIMIT = 90_000;

beforeEach(({ skip }) => skip(noHelm !== undefined, noHelm));

/** Nothing was denied: neither by the API server, nor in what the program says. @param token whose scrape is answered */
async function nothingDenied(
  { recorded }: Released,
  replicas: readonly Replica[],
  token: string,
): Promise<void> {
  expect(recorded.denied).toEqual([]);
  for (const { serve, metrics } of replicas) {
    const warnings = serve.lines.filter(({ level }) => level !== 'info').map(({ message }) => message);
    const noOwner = 'an owner must be in the same one';
    expect(warnings.filter((message) => !message.includes(noOwner))).toEqual([]);
    const scrape = await fetch(`${metrics}/metrics`, { headers: { authorization: `Bearer ${token}` } });
    expect(await scrape.text()).toMatch(/^dynamic_toolset_namespaces_denied 0$/m);
  }
}

/** What was granted was asked for and allowed, so without it that would have been denied. */
async function everyRightIsUsed({ all, recorded }: Released, namespace?: string): Promise<void> {
  const rights = rightsOf(all, 'dynamic-toolset').filter(
    (right) => namespace === undefined || right.namespace === namespace,
  );
  const unused = (): Asked[] =>
    rights.filter((right) => !recorded.allowed.some((asked) => isOf(asked, right)));
  await waitUntil('every right was used', () => unused().length === 0).catch(() => {});
  expect(unused()).toEqual([]);
}

/** A replica that watches all namespaces has a cluster of its own: it would probe the Services of other tests too. */
async function clusterOf(name: string): Promise<Cluster> {
  if (name !== 'all namespaces') return testCluster();
  const { connection, stop } = await startControlPlane();
  onTestFinished(stop);
  return testCluster(connection);
}

async function install(name: string): Promise<Released> {
  const given = await release((places) => matrix(places)[name] as Values, await clusterOf(name));
  if (name.startsWith('HolmesGPT')) await runHolmesgpt(given);
  return given;
}

/** HolmesGPT as its chart installs it. */
async function runHolmesgpt({ cluster: { admin }, places: { holmes } }: Released): Promise<void> {
  await admin.create(`/api/v1/namespaces/${holmes}/configmaps`, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'custom-toolsets-configmap' },
    data: { 'custom_toolset.yaml': 'toolsets:\n  internet:\n    enabled: true\n' },
  });
  await admin.create(
    `/apis/apps/v1/namespaces/${holmes}/deployments`,
    holmesgptDeployment('holmes-holmes', 'custom-toolsets-configmap'),
  );
}

describe('serve with exactly the rendered permissions', { timeout: LIMIT }, () => {
  test.each([
    'two namespaces',
    'all namespaces',
    'another namespace for the ConfigMap',
    'no tokens, no election',
    'access reviews',
  ])('becomes ready and publishes, and nothing is denied: %s', async (name) => {
    const given = await install(name);
    const replica = await given.start('dynamic-toolset-1-a');
    await given.published();
    await waitUntil('diff finds nothing to do', async () => (await given.diff()).code === 0, {
      limitMs: 30_000,
      everyMs: 1_000,
    });
    await nothingDenied(given, [replica], given.prometheusToken);
    expect(await replica.serve.stop()).toBe(0);
  });

  test.each([
    ["HolmesGPT's ConfigMap and restart", true],
    ["HolmesGPT's ConfigMap alone", false],
  ])("the toolset reaches HolmesGPT's ConfigMap: %s", async (name, restarted) => {
    const given = await install(name);
    const { admin } = given.cluster;
    const replica = await given.start('dynamic-toolset-1-a');
    await given.published();
    const { holmes, watched } = given.places;
    const text = await waitUntil("it is in HolmesGPT's file", async () => {
      const path = `/api/v1/namespaces/${holmes}/configmaps/custom-toolsets-configmap`;
      const { data } = await admin.get<{ readonly data: Readonly<Record<string, string>> }>(path);
      return data['custom_toolset.yaml']?.includes(watched) && data['custom_toolset.yaml'];
    });
    expect(parse(text).toolsets.internet).toEqual({ enabled: true });
    if (restarted) await replica.serve.logged('was restarted');
    await everyRightIsUsed(given, holmes);
    await nothingDenied(given, [replica], given.prometheusToken);
  });

  test('of two replicas one writes and the other follows; every granted permission is used', async () => {
    const given = await release((places) => ({
      ...matrix(places)['access reviews'],
      settings: {
        namespaces: [places.watched],
        revisionHistoryLimit: 2,
        authorizationEnabled: true,
        maxDocumentKib: 16,
        maxShards: 2,
      },
    }));
    const { admin } = given.cluster;
    const first = await given.start('dynamic-toolset-1-a');
    const { metadata } = await given.published();
    expect(metadata).toMatchObject({ ownerReferences: [{ kind: 'Deployment', name: 'dynamic-toolset' }] });
    const second = await given.start('dynamic-toolset-1-b');
    await second.serve.logged('following leader dynamic-toolset-1-a');

    await nothingDenied(given, [first, second], given.prometheusToken);

    // The first toolset comes back, and then a third one for which the oldest revision goes.
    const { watched } = given.places;
    const published = (what: string, when: (text: string) => boolean): Promise<unknown> =>
      waitUntil(what, async () => when((await given.read()).data['toolset.json'] ?? ''));
    await given.cluster.service(watched, {
      name: 'loki',
      labels: { 'app.kubernetes.io/name': 'loki' },
      ports: [{ port: 3100, name: 'http-metrics' }],
    });
    await given.published('loki');
    await admin.delete(`/api/v1/namespaces/${watched}/services/loki`);
    await published('Loki is gone', (text) => !text.includes('loki'));
    const overrides = `tools: { prometheus.${watched}: { description: ours } }`;
    await admin.patch(given.path, { data: { 'overrides.yaml': overrides } });
    await published('the override counts', (text) => text.includes('ours'));
    // The same Event twice becomes a series.
    const isSeries = () =>
      given.recorded.allowed.some(({ verb, resource }) => verb === 'patch' && resource === 'events');
    for (let edits = 0; edits < 2 || (edits < 6 && !isSeries()); edits++) {
      await admin.patch(given.path, { data: { 'toolset.json': '{}' } });
      await published('the edit is taken back', (text) => text !== '{}');
    }
    // More tools than fit into one ConfigMap, then others, then none.
    const own = (description: string): string =>
      stringify({
        tools: Object.fromEntries(
          Array.from({ length: 80 }, (_, number) => [
            `own-${number}`,
            { type: 'orders', endpoint: `http://own-${number}.example`, description },
          ]),
        ),
      });
    const nextPart = (): Promise<string> =>
      admin
        .get<{ readonly data: Readonly<Record<string, string>> }>(`${given.path}-2`)
        .then(({ data }) => data['toolset.json'] ?? '')
        .catch(() => '');
    for (const description of ['first', 'other']) {
      await admin.patch(given.path, { data: { 'overrides.yaml': own(description) } });
      await waitUntil('there are two ConfigMaps', async () => (await nextPart()).includes(description));
    }
    await admin.patch(given.path, { data: { 'overrides.yaml': null } });
    await waitUntil('there is one again', async () => (await nextPart()) === '');
    // One right is for `diff`, run in the Pod: it reads the settings once.
    expect(await given.diff()).toMatchObject({ code: 0 });

    expect(rightsOf(given.all, 'dynamic-toolset').length).toBeGreaterThan(20);
    await everyRightIsUsed(given);
    expect(given.recorded.denied).toEqual([]);
    expect(await second.serve.stop()).toBe(0);
    expect(await first.serve.stop()).toBe(0);
  });
});

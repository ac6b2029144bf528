import { describe, expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/kubernetes/connection.ts';
import { type InformerEvent, runInformer } from '../../src/kubernetes/informer.ts';
import type { InformerTiming } from '../../src/kubernetes/informer-timing.ts';
import { servicesPath } from '../../src/kubernetes/services.ts';
import { clusterSource } from '../../src/sources/cluster.ts';
import type { Change } from '../../src/sources/source.ts';
import { testCluster, waitUntil } from '../cluster/cluster.ts';
import { type FaultyApi, faultyApi, type Passing } from './faulty-api.ts';

/** Pauses a tenth of the usual, so that a test sees several. */
const BRISK: Partial<InformerTiming> = {
  firstDelay: 100,
  firstDelayIfDenied: 300,
  maxDelay: 1_000,
  healthyAfter: 1_000,
  idleTimeout: 150_000,
};

/** Follows the Services of a namespace that holds `a` and `b`, through a proxy that can misbehave. */
async function setting(pace: Partial<InformerTiming> = BRISK) {
  const cluster = testCluster();
  const namespace = await cluster.namespace('watched');
  const create = (name: string) => cluster.service(namespace, { name, headless: true });
  const remove = (name: string) => cluster.admin.delete(`${servicesPath(namespace)}/${name}`);
  await create('a');
  await create('b');
  const api = await faultyApi(cluster.connection);
  const kube = connect({ kubeconfig: api.kubeconfig, origin: 'the test', context: undefined });
  const told: InformerEvent<string>[] = [];
  let items: ReadonlyMap<string, string> = new Map();
  const stop = new AbortController();
  const start = (): void => {
    const running = runInformer(
      kube,
      {
        path: servicesPath(namespace),
        select: ({ metadata }) => (metadata as { name: string }).name,
        timing: { ...BRISK, ...pace },
      },
      (one) => {
        told.push(one);
        if (one.kind === 'synced') items = one.items;
        // Only a server that says so may empty the set; none does here.
        if (items.size === 0 && one.kind !== 'failure') throw new Error('the set was emptied');
      },
      stop.signal,
    );
    onTestFinished(async () => {
      stop.abort();
      await running;
    });
  };
  const names = (): string => [...items.values()].sort().join(' ');
  return {
    cluster,
    api,
    told,
    create,
    remove,
    start,
    names,
    failures: () => told.filter((one) => one.kind === 'failure'),
    has: (expected: string, limitMs = 15_000) =>
      waitUntil(`${expected} is known`, () => names() === expected, { limitMs, everyMs: 20 }),
  };
}

/** Requests in some milliseconds. */
async function askedIn(api: FaultyApi, milliseconds: number): Promise<number> {
  const before = api.asked.length;
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  return api.asked.length - before;
}

const status = ({ response }: Passing, code: number, reason: string, headers = {}): void => {
  response
    .writeHead(code, { 'content-type': 'application/json', ...headers })
    .end(JSON.stringify({ kind: 'Status', code, reason, message: reason }));
};

describe('a watch of a real API server', () => {
  test('emits changes as they happen, on one connection', async () => {
    const it = await setting();
    it.start();
    await it.has('a b');
    await waitUntil('it watches', () => it.api.asked.includes('watch'));
    await it.create('c');
    await it.has('a b c', 1_000);
    await it.remove('a');
    await it.has('b c', 1_000);
    expect(it.told.map(({ kind }) => kind)).toEqual(['synced', 'upsert', 'delete']);
    expect(it.api.asked).toEqual(['list', 'watch']);
  });

  test('the server goes away and returns', async () => {
    const it = await setting();
    it.start();
    await it.has('a b');
    it.api.shut();
    await it.create('c');
    await it.remove('a');
    await waitUntil('it failed several times', () => it.failures().length >= 3);
    expect(it.names()).toBe('a b');
    expect(it.failures().length).toBeLessThan(10);
    await it.api.open();
    await it.has('b c');
    expect(it.api.asked.filter((one) => one === 'list')).toHaveLength(1);
    await waitUntil('it says that it recovered', () => it.told.some(({ kind }) => kind === 'recovered'));
  });

  test('no server at the start', async () => {
    const it = await setting();
    it.api.shut();
    it.start();
    await waitUntil('it failed twice', () => it.failures().length >= 2);
    await it.api.open();
    await it.has('a b');
  });

  test('an event is cut in the middle', async () => {
    const it = await setting();
    let cut = true;
    it.api.fault = (passing) => {
      const edit = (chunk: Buffer): Buffer | undefined => {
        if (!cut) return chunk;
        cut = false;
        setTimeout(() => passing.response.destroy(), 50);
        return chunk.subarray(0, chunk.length - 40);
      };
      passing.forward(passing.watch ? { edit } : {});
    };
    it.start();
    await waitUntil('it watches', () => it.api.asked.includes('watch'));
    await it.create('c');
    await it.has('a b c');
    expect(cut).toBe(false);
    expect(it.api.asked.slice(0, 3)).toEqual(['list', 'watch', 'watch']);
  });

  test.each<[string, (passing: Passing) => void]>([
    ['410', (passing) => status(passing, 410, 'Expired')],
    ['500', (passing) => status(passing, 500, 'InternalError')],
    ['a closed connection', ({ response }) => response.destroy()],
    ['an end', ({ response }) => response.end()],
    ['what is not JSON', ({ response }) => response.end('<html>busy</html>\n')],
    ['403', (passing) => status(passing, 403, 'Forbidden')],
  ])('each watch is answered by %s for a while', async (_, answer) => {
    const it = await setting();
    it.api.fault = (passing) => (passing.watch ? answer(passing) : passing.forward());
    it.start();
    await it.has('a b');
    await it.create('c');
    // At most one request for a list and one for a watch after each pause.
    expect(await askedIn(it.api, 3_000)).toBeLessThan(20);
    expect(it.failures().length).toBeGreaterThan(1);
    expect(it.names()).toMatch(/^a b( c)?$/);
    it.api.fault = undefined;
    await it.has('a b c');
    await it.remove('a');
    await it.has('b c');
  });

  test.each([
    ['each list fails with 500', 500, {}, 20],
    ['each list is told to wait', 429, { 'retry-after': '2' }, 3],
  ] as const)('%s for a while', async (_, code, headers, most) => {
    const it = await setting();
    it.api.fault = (passing) => status(passing, code, 'Busy', headers);
    it.start();
    expect(await askedIn(it.api, 3_000)).toBeLessThan(most);
    it.api.fault = undefined;
    await it.has('a b');
  });

  test('a huge line', async () => {
    const it = await setting();
    let huge = true;
    it.api.fault = ({ watch, response, forward }) => {
      if (!watch || !huge) return forward();
      huge = false;
      response.writeHead(200);
      const chunk = Buffer.alloc(1024 * 1024, 'x');
      const pour = (): void => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', pour);
      pour();
    };
    it.start();
    await it.has('a b');
    await it.create('c');
    await it.has('a b c');
    expect(it.failures()[0]?.error).toMatchObject({ message: 'a line of the answer is longer than 16 MiB' });
  });

  test('a connection is frozen half-open', async () => {
    const it = await setting({ idleTimeout: 1_500 });
    it.start();
    await it.has('a b');
    await waitUntil('it watches', () => it.api.asked.includes('watch'));
    it.api.freeze();
    await it.create('c');
    await it.has('a b c', 6_000);
    expect(it.api.asked.filter((one) => one === 'list')).toHaveLength(1);
  });

  test('a slow list, with a change in between', async () => {
    const it = await setting();
    it.api.fault = ({ watch, forward }) => {
      if (watch) return forward();
      setTimeout(forward, 1_500);
    };
    it.start();
    await it.create('c');
    await it.remove('b');
    await it.has('a c');
  });
});

test('a source with permission to list only lists at each interval; granted "watch", it watches', async () => {
  const cluster = testCluster();
  const namespace = await cluster.namespace('watched');
  const other = await cluster.namespace('other');
  const rule = { apiGroups: [''], resources: ['services'], verbs: ['list'] };
  const account = await cluster.serviceAccount({ namespace: other, rulesIn: { [namespace]: [rule] } });
  const kube = connect({
    kubeconfig: await cluster.kubeconfig(account),
    origin: 'the test',
    context: undefined,
  });
  await cluster.service(namespace, { name: 'a', headless: true });
  const told: Change[] = [];
  const stop = new AbortController();
  const source = clusterSource(kube, { namespaces: [namespace, other], interval: 2_000 });
  const running = source.run((change) => told.push(change), stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await running;
  });
  const last = () => told.at(-1);
  const problems = (): string => {
    const change = last();
    return change?.kind === 'sync'
      ? change.problems.map(({ where, what }) => `${where}: ${what}`).join('\n')
      : '';
  };
  await waitUntil(
    'both denials are told',
    () =>
      /watching Services was denied/.test(problems()) &&
      problems().includes(`namespace ${other}: listing Services was denied`),
  );
  await cluster.service(namespace, { name: 'b', headless: true });
  await waitUntil('the new Service shows', () => {
    const change = last();
    return change?.kind === 'sync' && change.services.length === 2;
  });

  const role = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/roles`;
  const { items } = await cluster.admin.get<{ items: { metadata: { name: string } }[] }>(role);
  await cluster.admin.patch(`${role}/${items[0]?.metadata.name}`, {
    rules: [{ ...rule, verbs: ['list', 'watch'] }],
  });
  await waitUntil('it watches', () => last()?.kind === 'sync' && !/watching/.test(problems()));
  await cluster.service(namespace, { name: 'c', headless: true });
  await waitUntil('the change is told', () =>
    told.some((change) => change.kind === 'upsert' && change.service.name === 'c'),
  );
});

test('the version of a watch has expired: the real 410', async () => {
  const { admin, connection, ...cluster } = testCluster();
  const namespace = await cluster.namespace('watched');
  // The server begins to remember changes of a new kind when it is made, so it has forgotten all before.
  const group = `${namespace}.example.com`;
  await admin.create('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `things.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
      versions: [
        { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
      ],
    },
  });
  const path = `/apis/${group}/v1/namespaces/${namespace}/things`;
  const create = (name: string) =>
    admin.create(path, { apiVersion: `${group}/v1`, kind: 'Thing', metadata: { name } });
  await waitUntil('the kind is served', () => create('a'));

  const api = await faultyApi(connection);
  let old = true;
  api.fault = ({ watch, url, forward }) => {
    if (!watch || !old) return forward();
    old = false;
    url.searchParams.set('resourceVersion', '1');
    forward({ path: `${path}?${url.searchParams}` });
  };
  const told: InformerEvent<boolean>[] = [];
  const stop = new AbortController();
  const kube = connect({ kubeconfig: api.kubeconfig, origin: 'the test', context: undefined });
  const running = runInformer(
    kube,
    { path, select: () => true, timing: BRISK },
    (one) => told.push(one),
    stop.signal,
  );
  onTestFinished(async () => {
    stop.abort();
    await running;
  });
  await waitUntil('it watches again', () => api.asked.join(' ') === 'list watch list watch');
  expect(told[1]).toMatchObject({ kind: 'failure', doing: 'watch', error: { code: 410, reason: 'Expired' } });
  await create('b');
  await waitUntil('the change is told', () => told.some(({ kind }) => kind === 'upsert'));
});

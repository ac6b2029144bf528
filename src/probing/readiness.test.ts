import type { ServerResponse } from 'node:http';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { json, kubeServer, refuse } from '../../test/fixtures/unit/kube-server.ts';
import { keyFor, type ServiceFields, service } from '../../test/fixtures/unit/service.ts';
import type { KubeClient, KubeRequest } from '../kubernetes/connection.ts';
import { EndpointIndex, type SliceState } from '../kubernetes/endpoint-index.ts';
import { ApiStatusError } from '../kubernetes/status.ts';
import { WatchedReadiness } from '../kubernetes/watch-readiness.ts';
import type { Candidate, Verdict } from '../model/discovery.ts';
import { HOME_CLUSTER } from '../model/key.ts';
import { serviceKey } from '../model/service.ts';
import { noProber } from './no-prober.ts';
import { type ReadinessOptions, ReadinessProber } from './readiness.ts';

const signal = new AbortController().signal;
const backend = candidate(service('grafana', { namespace: 'n', ports: ['http:3000'] }));
const slice = (ready: boolean, version: number) => ({
  metadata: {
    name: 'g-1',
    namespace: 'n',
    resourceVersion: String(version),
    labels: { 'kubernetes.io/service-name': 'grafana' },
  },
  endpoints: [{ conditions: { ready } }],
});
const list = (ready: boolean) => ({ metadata: { resourceVersion: '1' }, items: [slice(ready, 1)] });

/** A prober over watched slices; `watchable`: whether watching is allowed. */
async function watching(watchable: boolean) {
  const clock = { now: 0 };
  let stream: ServerResponse | undefined;
  const { kube, asked } = await kubeServer((response, { watch }) => {
    if (!watch) return json(response, list(false));
    if (!watchable) return refuse(response, 403, 'Forbidden');
    response.writeHead(200).flushHeaders();
    stream = response;
  });
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const changed = vi.fn();
  const watched = new WatchedReadiness(kube, changed, stop.signal);
  const prober = new ReadinessProber(kube, noProber, { watched, now: () => clock.now });
  return {
    asked,
    changed,
    clock,
    send: (object: object) => stream?.write(`${JSON.stringify({ type: 'MODIFIED', object })}\n`),
    pass: async () => {
      const problems = await prober.prepare([backend], signal);
      return { problems, health: (await prober.probe(backend, signal)).health };
    },
  };
}

test('watched slices are not listed in each pass', async () => {
  const it = await watching(true);
  expect(await it.pass()).toEqual({ problems: [], health: 'unhealthy' });
  expect(await it.pass()).toEqual({ problems: [], health: 'unhealthy' });
  await vi.waitFor(() => expect(it.asked.map(({ watch }) => watch)).toEqual([false, true]));
  it.send(slice(true, 2));
  await vi.waitFor(() => expect(it.changed).toHaveBeenCalledWith(keyFor('n/grafana'), true));
  expect(await it.pass()).toEqual({ problems: [], health: 'unknown' });
});

test('addresses of all Services are known, also without probes', async () => {
  let answer: 'list' | 'fail' | 'deny' = 'list';
  const { kube } = await kubeServer((response) => {
    if (answer !== 'list') return refuse(response, answer === 'deny' ? 403 : 500, 'No');
    const { metadata } = slice(false, 1);
    const other = { ...metadata, name: 'o-1', labels: { 'kubernetes.io/service-name': 'other' } };
    json(response, {
      metadata: { resourceVersion: '1' },
      items: [
        { metadata, endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: false } }] },
        { metadata: other, endpoints: [{ addresses: ['10.0.0.2'] }] },
      ],
    });
  });
  const prober = new ReadinessProber(kube, noProber, { isProbing: false });
  const at = { cluster: HOME_CLUSTER, namespace: 'n' };
  expect(prober.addressesIn(at)).toBeUndefined();
  await prober.prepare([backend], signal);
  const known = new Map([
    ['grafana', { listed: ['10.0.0.1'], isCut: false }],
    ['other', { listed: ['10.0.0.2'], isCut: false }],
  ]);
  expect(prober.addressesIn(at)).toEqual(known);
  expect((await prober.probe(backend, signal)).health).toBe('unknown');
  answer = 'fail';
  await prober.prepare([backend], signal);
  expect(prober.addressesIn(at)).toEqual(known);
  expect(prober.addressesIn({ ...at, cluster: 'elsewhere' })).toBeUndefined();
  answer = 'deny';
  expect(await prober.prepare([backend], signal)).toMatchObject([
    { what: expect.stringContaining('selectors') },
  ]);
  expect(prober.addressesIn(at)).toBeUndefined();
});

test('if watching is denied, slices are listed every few seconds, and the missing permission is reported', async () => {
  const it = await watching(false);
  await it.pass();
  await vi.waitFor(async () => expect((await it.pass()).problems).toHaveLength(1));
  const lists = (): number => it.asked.filter(({ watch }) => !watch).length;
  const before = lists();
  const told = {
    problems: [expect.objectContaining({ where: 'namespace n', fix: expect.stringContaining('"watch"') })],
    health: 'unhealthy',
  };
  for (it.clock.now = 0; it.clock.now < 5_000; it.clock.now += 1_000) expect(await it.pass()).toEqual(told);
  expect(lists() - before).toBeLessThanOrEqual(1);
  it.clock.now = 10_000;
  expect(await it.pass()).toEqual(told);
  expect(lists() - before).toBeLessThanOrEqual(2);
  expect(lists()).toBeGreaterThan(before);
});

test('results of an earlier list do not count if the next one fails', async () => {
  let broken = false;
  const { kube } = await kubeServer((response) =>
    broken ? refuse(response, 500, 'InternalError') : json(response, list(false)),
  );
  const prober = new ReadinessProber(kube, noProber);
  await prober.prepare([backend], signal);
  expect((await prober.probe(backend, signal)).health).toBe('unhealthy');
  broken = true;
  expect(await prober.prepare([backend], signal)).toEqual([]);
  expect((await prober.probe(backend, signal)).health).toBe('unknown');
});

test('a namespace with a slow list does not delay the probes of others', async () => {
  const held = Promise.withResolvers<void>();
  const { kube } = await kubeServer(async (response, { path }) => {
    if (path.includes('/slow/')) await held.promise;
    json(response, list(false));
  });
  const prober = new ReadinessProber(kube, noProber);
  const slow = candidate(service('grafana', { namespace: 'slow', ports: ['http:3000'] }));
  const prepared = prober.prepare([backend, slow], signal);
  const waiting = prober.probe(slow, signal);
  expect((await prober.probe(backend, signal)).health).toBe('unhealthy');
  held.resolve();
  expect((await waiting).health).toBe('unhealthy');
  await prepared;
});

test('a denied watch of all namespaces is one problem, and causes no list in each pass', async () => {
  const { kube, asked } = await kubeServer((response) => refuse(response, 403, 'Forbidden'));
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const watched = new WatchedReadiness(kube, () => {}, stop.signal, true);
  const prober = new ReadinessProber(kube, noProber, { watched });
  const many = ['a', 'b', 'c'].map((namespace) =>
    candidate(service('grafana', { namespace, ports: ['http:3000'] })),
  );
  for (let pass = 0; pass < 3; pass++)
    expect(await prober.prepare(many, signal)).toEqual([
      expect.objectContaining({ where: 'all namespaces', fix: expect.stringContaining('ClusterRole') }),
    ]);
  expect(asked).toHaveLength(1);
  expect((await prober.probe(backend, signal)).health).toBe('unknown');
});

test('a single read lists a few namespaces at a time', async () => {
  let open = 0;
  let most = 0;
  const { kube, asked } = await kubeServer((response) => {
    open += 1;
    most = Math.max(most, open);
    setTimeout(() => {
      open -= 1;
      json(response, { metadata: { resourceVersion: '1' }, items: [] });
    }, 5);
  });
  const many = Array.from({ length: 30 }, (_, index) =>
    candidate(service('grafana', { namespace: `n${index}`, ports: ['http:3000'] })),
  );
  expect(await new ReadinessProber(kube, noProber).prepare(many, signal)).toEqual([]);
  expect(asked).toHaveLength(30);
  expect(most).toBeLessThanOrEqual(8);
});

const FINE: Verdict = {
  health: 'healthy',
  authRequired: false,
  proof: 'proven',
  reason: 'fine',
  steps: [],
};

/** A prober over fakes: what the watch knows by scope, and what a list answers. */
function faked({
  isWatching = true,
  all = false,
  ...options
}: Partial<ReadinessOptions> & { isWatching?: boolean; all?: boolean } = {}) {
  const state = {
    known: new Map<string, EndpointIndex>(),
    faults: new Map<string, { doing: 'list' | 'watch'; error: unknown }>(),
    list: async (): Promise<unknown> => ({ metadata: { resourceVersion: '1' }, items: [] }),
    now: 1_000,
  };
  const lists: string[] = [];
  const kube = {
    request({ path }: KubeRequest) {
      lists.push(/namespaces\/([^/]+)/.exec(path)?.[1] ?? '*');
      return state.list();
    },
  } as unknown as KubeClient;
  const setNamespaces = vi.fn();
  const endpointsIn = vi.fn(async (scope: string) => state.known.get(scope));
  const watched = {
    allNamespaces: all,
    setNamespaces,
    endpointsIn,
    fault: (scope: string) => state.faults.get(scope),
  } as unknown as WatchedReadiness;
  const asked: Candidate[] = [];
  const inner = {
    async probe(candidate: Candidate) {
      asked.push(candidate);
      return FINE;
    },
  };
  const prober = new ReadinessProber(kube, inner, {
    ...(isWatching && { watched }),
    now: () => state.now,
    ...options,
  });
  return { prober, state, lists, setNamespaces, endpointsIn, asked };
}

const in_ = (namespace: string, cluster = HOME_CLUSTER): Candidate =>
  candidate(service('grafana', { namespace, cluster, ports: ['http:3000'] }));
const indexOf = (namespace: string, more: Partial<SliceState> = {}): EndpointIndex =>
  new EndpointIndex(
    new Map([
      [
        `${namespace}/g-1`,
        {
          service: serviceKey({ cluster: HOME_CLUSTER, namespace, name: 'grafana' }),
          ready: true,
          addresses: '10.0.0.1',
          ...more,
        },
      ],
    ]),
  );
const DENIED = new ApiStatusError(403, 'no');
const denied = { list: async () => Promise.reject(DENIED) };

describe("the number of a headless Service's port", () => {
  const headless = (fields: ServiceFields): Candidate =>
    candidate(service('grafana', { namespace: 'n', headless: true, ...fields }));
  const NAMED: ServiceFields = { ports: [{ name: 'http', port: 3000, targetPort: 'web' }] };

  test.each<[string, Candidate, Record<string, number>, port: number, found: number | undefined]>([
    ['is that of its Pods, where its target has a name', headless(NAMED), { http: 8080 }, 8080, 8080],
    ['is its own where the Pods have the same', headless(NAMED), { http: 3000 }, 3000, undefined],
    [
      'is its own where the target is a number',
      headless({ ports: ['http:3000'] }),
      { http: 8080 },
      3000,
      undefined,
    ],
    ['is its own where it is not known', headless(NAMED), {}, 3000, undefined],
    [
      'is that of a port without a name',
      headless({ ports: [{ port: 3000, targetPort: 'web' }] }),
      { '': 8080 },
      8080,
      8080,
    ],
    [
      'is not that of another protocol',
      headless({
        ports: [
          { name: 'udp', port: 3000, targetPort: 'other', protocol: 'UDP' },
          { name: 'http', port: 3000, targetPort: 'web' },
        ],
      }),
      { udp: 7000, http: 8080 },
      8080,
      8080,
    ],
    [
      'is not that of another port',
      headless({ ports: [{ name: 'other', port: 9, targetPort: 'other' }, 'http:3000'] }),
      { other: 7000, http: 8080 },
      3000,
      undefined,
    ],
    [
      'is its own where it is not headless',
      candidate(service('grafana', { namespace: 'n', ...NAMED })),
      { http: 8080 },
      3000,
      undefined,
    ],
  ])('%s', async (_, each, ports, port, found) => {
    const { prober, state, asked } = faked();
    state.known.set('n', indexOf('n', { ports }));
    await prober.prepare([each], signal);
    const verdict = await prober.probe(each, signal);
    expect(asked).toEqual([{ ...each, endpoint: { ...each.endpoint, port } }]);
    expect(verdict).toEqual(found === undefined ? FINE : { ...FINE, port: found });
  });

  test('must be known if the route uses the Service: another port may respond', async () => {
    const each = headless(NAMED);
    const { prober, asked } = faked({ byService: true });
    await prober.prepare([each], signal);
    expect(await prober.probe(each, signal)).toStrictEqual({
      health: 'unhealthy',
      authRequired: false,
      proof: 'unproven',
      reason: expect.stringContaining('the named port web'),
      steps: [],
    });
    expect(asked).toEqual([]);
  });
});

test('a Service without a ready address is not probed', async () => {
  const { prober, state, asked } = faked();
  state.known.set('n', indexOf('n', { ready: false }));
  await prober.prepare([backend], signal);
  expect(await prober.probe(backend, signal)).toStrictEqual({
    health: 'unhealthy',
    authRequired: false,
    proof: 'unproven',
    fault: 'not_ready',
    reason: 'none of its endpoints is ready',
    steps: [],
  });
  expect(asked).toEqual([]);
});

describe('the namespaces that are read', () => {
  test('are those of the home cluster, and addresses of all Services are needed', async () => {
    const { prober, setNamespaces, endpointsIn } = faked();
    const all = [in_('b'), in_('a'), in_('b'), in_('c', 'elsewhere')];
    await prober.prepare(all, signal);
    expect(setNamespaces.mock.calls).toEqual([
      [['a', 'b'], new Set(all.map((each) => serviceKey(each.service)))],
    ]);
    expect(endpointsIn.mock.calls.map(([scope]) => scope)).toEqual(['a', 'b']);
  });

  test('are all at once if all are watched, and none without candidates', async () => {
    const { prober, state, endpointsIn, asked } = faked({ all: true });
    state.known.set('*', indexOf('a', { ready: false }));
    await prober.prepare([], signal);
    expect(endpointsIn).not.toHaveBeenCalled();
    await prober.prepare([in_('a'), in_('b')], signal);
    expect(endpointsIn.mock.calls.map(([scope]) => scope)).toEqual(['*']);
    expect((await prober.probe(in_('a'), signal)).health).toBe('unhealthy');
    expect((await prober.probe(in_('b'), signal)).health).toBe('healthy');
    expect(asked).toHaveLength(1);
    const known = prober.addressesIn({ cluster: HOME_CLUSTER, namespace: 'a' });
    expect([...(known?.keys() ?? [])]).toEqual(['grafana']);
  });

  test('are forgotten when they have no candidates any more', async () => {
    const { prober, state, lists } = faked();
    const at = { cluster: HOME_CLUSTER, namespace: 'a' };
    state.list = async () => ({
      metadata: { resourceVersion: '1' },
      items: [
        {
          metadata: { name: 'g', namespace: 'a', labels: { 'kubernetes.io/service-name': 'grafana' } },
          endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: false } }],
        },
      ],
    });
    await prober.prepare([in_('a')], signal);
    expect((await prober.probe(in_('a'), signal)).health).toBe('unhealthy');
    expect(prober.addressesIn(at)).toBeDefined();
    await prober.prepare([in_('b')], signal);
    expect(prober.addressesIn(at)).toBeUndefined();
    expect((await prober.probe(in_('a'), signal)).health).toBe('healthy');
    await prober.prepare([in_('a')], signal);
    expect(lists).toEqual(['a', 'b', 'a']);
  });

  test('are not waited for after the end', async () => {
    const { prober, endpointsIn } = faked();
    const stop = new AbortController();
    endpointsIn.mockImplementation(async () => {
      stop.abort(new Error('stopped'));
      return undefined;
    });
    await expect(prober.prepare([in_('a')], stop.signal)).rejects.toThrow('stopped');
  });
});

describe('if the watch is not synced', () => {
  test('a namespace is listed at most every five seconds', async () => {
    const { prober, state, lists } = faked();
    for (const now of [1_000, 5_999, 6_000, 10_999, 11_000]) {
      state.now = now;
      await prober.prepare([in_('a')], signal);
    }
    expect(lists).toEqual(['a', 'a', 'a']);
  });

  test('without a watch it is listed in each pass', async () => {
    const { prober, lists } = faked({ isWatching: false });
    await prober.prepare([in_('a')], signal);
    await prober.prepare([in_('a')], signal);
    expect(lists).toEqual(['a', 'a']);
  });

  test.each([
    ['listing was denied', { doing: 'list', error: DENIED }, 0],
    ['watching was denied', { doing: 'watch', error: DENIED }, 1],
    ['the server is broken', { doing: 'list', error: new ApiStatusError(500, 'no') }, 1],
  ] as const)('%s: lists in a pass', async (_, fault, expected) => {
    const { prober, state, lists } = faked();
    state.faults.set('a', fault);
    await prober.prepare([in_('a')], signal);
    expect(lists).toHaveLength(expected);
  });
});

describe('reported problems', () => {
  const WATCHED = 'grant "list" and "watch" on endpointslices.discovery.k8s.io';

  test('list the denied namespaces, in order', async () => {
    const { prober, state } = faked();
    Object.assign(state, denied);
    const problems = await prober.prepare([in_('b'), in_('a')], signal);
    expect(problems.map(({ where, fix }) => [where, fix])).toEqual([
      ['namespace a', `${WATCHED} there`],
      ['namespace b', `${WATCHED} there`],
    ]);
    expect(problems[0]?.what).toContain('are probed and time out');
  });

  test('without a watch, no permission for one is needed, and without probes, nothing times out', async () => {
    const { prober, state } = faked({ isWatching: false, isProbing: false });
    Object.assign(state, denied);
    const [problem] = await prober.prepare([in_('a')], signal);
    expect(problem?.fix).toBe('grant "list" on endpointslices.discovery.k8s.io there');
    expect(problem?.what).not.toContain('time out');
  });

  test.each([
    [false, 'namespace a', 'grant "watch" on endpointslices.discovery.k8s.io there'],
    [true, 'all namespaces', 'grant "watch" on endpointslices.discovery.k8s.io with a ClusterRole'],
  ])('are that watching is denied; all namespaces: %s', async (all, where, fix) => {
    const { prober, state } = faked({ all });
    state.faults.set(all ? '*' : 'a', { doing: 'watch', error: DENIED });
    expect(await prober.prepare([in_('a')], signal)).toEqual([
      { where, fix, what: 'watching EndpointSlices was denied, so changes of readiness appear later' },
    ]);
  });

  test('are none if the server fails for a moment', async () => {
    const { prober, state } = faked();
    state.list = async () => Promise.reject(new ApiStatusError(500, 'no'));
    expect(await prober.prepare([in_('a')], signal)).toEqual([]);
  });
});

test('a part has the endpoints of its Service', async () => {
  const { prober, state, asked, setNamespaces } = faked();
  const part = { ...backend, service: { ...backend.service, name: 'grafana:3100' } };
  state.known.set('n', indexOf('n', { ready: false }));
  await prober.prepare([part], signal);
  expect(setNamespaces.mock.calls).toEqual([[['n'], new Set([serviceKey(backend.service)])]]);
  expect((await prober.probe(part, signal)).fault).toBe('not_ready');
  expect(asked).toEqual([]);
});

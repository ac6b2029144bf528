import { setTimeout as sleep } from 'node:timers/promises';
import { configMapsPath } from '../src/kubernetes/config-maps.ts';
import { connect, type KubeClient } from '../src/kubernetes/connection.ts';
import { listPages, type Selection } from '../src/kubernetes/list.ts';
import { servicesPath } from '../src/kubernetes/services.ts';
import { type WatchEvent, watch } from '../src/kubernetes/watch.ts';
import { CHANGES_A_SECOND, churn } from './churn.ts';
import type { BenchCluster } from './cluster.ts';
import type { Lab } from './lab.ts';
import { serviceObject } from './objects.ts';
import type { Row } from './report.ts';
import { CONFIG_MAP, newTarget, startServe } from './serve.ts';
import { type BenchService, backendService, hostOf } from './services.ts';
import { median, percentile } from './statistics.ts';

/** Timeout for one change to become visible, in milliseconds. */
const LONGEST = 30_000;
/**
 * Pause between two changes, in milliseconds: when quiet, long enough for the program to be idle again; and under
 * churn.
 */
const QUIET = 1_200;
const BUSY = 300;

/** Goals for the 99th percentile, quiet and under churn, in milliseconds. */
const GOALS = { few: [150, 300], many: [200, 500] } as const;
const FEW_BACKENDS = 100;

type SetEvent = Exclude<WatchEvent, { type: 'bookmark' }>;
type Look = (event: SetEvent) => boolean;

/** Watches the events of a collection. */
class Observer {
  readonly #looks = new Map<Look, (time: number) => void>();

  async run(kube: KubeClient, selection: Selection, signal: AbortSignal): Promise<void> {
    let resourceVersion = '';
    for await (const page of listPages(kube, selection, signal)) resourceVersion = page.resourceVersion;
    const limits = { resourceVersion, seconds: 3_000, idleTimeout: 3_000_000 };
    const events = await watch(kube, selection, limits, signal);
    void this.#follow(events, signal);
  }

  async #follow(events: AsyncGenerator<WatchEvent>, signal: AbortSignal): Promise<void> {
    try {
      for await (const event of events) {
        if (event.type === 'bookmark') continue;
        const now = performance.now();
        for (const [look, seen] of this.#looks) if (look(event)) seen(now);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** The time of the first matching event, on the clock of `performance.now`. */
  async first(what: string, look: Look): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#looks.set(look, resolve);
    const late = setTimeout(
      () => reject(new Error(`${what} did not appear within ${LONGEST / 1000} s`)),
      LONGEST,
    );
    try {
      return await promise;
    } finally {
      clearTimeout(late);
      this.#looks.delete(look);
    }
  }
}

/** The time from one change until a raw watch saw it, and until the ConfigMap was updated, in milliseconds. */
interface Sample {
  readonly raw: number;
  readonly published: number;
}

/** Watches of the changed Services and of the published ConfigMap. */
interface Eyes {
  readonly services: Observer;
  readonly configMap: Observer;
}

/** Makes a change, and waits until it is visible. */
async function sample(
  { admin }: BenchCluster,
  { services, configMap }: Eyes,
  service: BenchService,
  comes: boolean,
): Promise<Sample> {
  const path = `/api/v1/namespaces/${service.namespace}/services`;
  const { name } = service.spec;
  const host = hostOf(service);
  const seen = services.first(
    `Service ${name}`,
    ({ type, object }) =>
      type === (comes ? 'set' : 'delete') && (object.metadata as { readonly name?: string }).name === name,
  );
  const published = configMap.first(`${host} in the ConfigMap`, ({ object }) => {
    const { data } = object as { readonly data?: Readonly<Record<string, string>> };
    return (data?.['toolset.json'] ?? '').includes(host) === comes;
  });
  const sent = performance.now();
  const change = comes ? admin.create(path, serviceObject(service)) : admin.delete(`${path}/${name}`);
  const [rawAt, publishedAt] = await Promise.all([seen, published, change]);
  return { raw: rawAt - sent, published: publishedAt - sent };
}

/** Watches all Services, and the ConfigMap in a namespace. */
export async function openEyes(
  { connection: { kubeconfigPath } }: BenchCluster,
  namespace: string,
  signal: AbortSignal,
): Promise<Eyes> {
  const kube = connect({ kubeconfig: kubeconfigPath, origin: kubeconfigPath, context: undefined });
  const eyes = { services: new Observer(), configMap: new Observer() };
  await eyes.services.run(kube, { path: servicesPath('*') }, signal);
  const only = { path: configMapsPath(namespace), fieldSelector: `metadata.name=${CONFIG_MAP}` };
  await eyes.configMap.run(kube, only, signal);
  return eyes;
}

/** Adds and removes each backend. @param pause minimum time before each change, in milliseconds */
export async function samples(
  cluster: BenchCluster,
  eyes: Eyes,
  services: readonly BenchService[],
  pause: number,
): Promise<Sample[]> {
  const all: Sample[] = [];
  for (const service of services)
    for (const comes of [true, false]) {
      await sleep(pause * (1 + Math.random() / 4));
      all.push(await sample(cluster, eyes, service, comes));
    }
  return all;
}

/** Median and 99th percentile. @param goal of the latter, in milliseconds */
export function rowsOf(what: string, all: readonly Sample[], goal: number, note: string): Row[] {
  const published = all.map((each) => each.published);
  const raw = all.map((each) => each.raw);
  const half = (comes: boolean): string =>
    median(published.filter((_, index) => (index % 2 === 0) === comes)).toFixed(1);
  const floor = (share: number) => ({ what: 'a raw watch sees it', value: percentile(raw, share) });
  return [
    {
      what: `${what}, p50`,
      value: median(published),
      unit: 'ms',
      floor: floor(0.5),
      note: `${note}; p50 of an added backend ${half(true)} ms, of a removed one ${half(false)} ms`,
    },
    {
      what: `${what}, p99`,
      value: percentile(published, 0.99),
      unit: 'ms',
      floor: floor(0.99),
      goal: { value: goal },
    },
  ];
}

/** Measures the time from the request that changes a Service to the update of the ConfigMap by the built `serve`. */
export async function latency(lab: Lab): Promise<Row[]> {
  const cluster = await lab.cluster();
  const services = await cluster.grow(lab.options.services, lab.options.backends);
  await (await lab.backends()).answerAfter(0);
  const moving = Array.from({ length: Math.ceil(lab.options.samples / 2) }, (_, number) =>
    backendService('team-000', number, 'm'),
  );
  const target = await newTarget(lab, [...services, ...moving]);
  const stop = new AbortController();
  const serve = await startServe(lab, target);
  try {
    const eyes = await openEyes(cluster, target.namespace, stop.signal);
    lab.say(`${moving.length * 2} changes, and no others`);
    const quiet = await samples(cluster, eyes, moving, QUIET);
    lab.say(`${moving.length * 2} changes, among ${CHANGES_A_SECOND} others a second`);
    const calm = new AbortController();
    const changing = churn(cluster, services, AbortSignal.any([calm.signal, stop.signal]));
    const busy = await samples(cluster, eyes, moving, BUSY);
    calm.abort();
    const rate = (await changing).toFixed(1);
    const backends = services.filter(({ backend }) => backend !== undefined).length;
    const of = `${quiet.length} changes in a cluster of ${services.length} Services and ${backends} backends`;
    const [goal, busyGoal] = backends <= FEW_BACKENDS ? GOALS.few : GOALS.many;
    return [
      ...rowsOf('quiet', quiet, goal, of),
      ...rowsOf(`${CHANGES_A_SECOND} changes a second`, busy, busyGoal, `${of}, ${rate} others a second`),
    ];
  } finally {
    stop.abort();
    await serve.stop();
  }
}

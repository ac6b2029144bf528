import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { ApiError, type Rest } from '../cluster/rest.ts';

/** What `serve` is made to see again and again. */
export interface Soaked {
  readonly admin: Rest;
  /** Services whose annotations are changed: namespace and name. */
  readonly services: readonly { readonly namespace: string; readonly name: string }[];
  /** Namespace in which backends come and go; it is looked into. */
  readonly watched: string;
  /** Namespace that is published to, with the ConfigMap of settings. */
  readonly target: string;
  readonly pid: number;
  /** Port of its metrics on this machine. */
  readonly metricsPort: number;
}

/** What a process holds at one time. */
export interface Holding {
  /** MiB in use on the heap. */
  readonly heap: number;
  /** MiB resident. */
  readonly resident: number;
  readonly sockets: number;
  readonly timers: number;
}

/** `NODE_OPTIONS` of a process whose heap shall be seen without garbage. */
export const COLLECTING = `--import ${pathToFileURL(join(import.meta.dirname, 'collect-garbage.ts')).href}`;

/** How often a second something is changed, in all. */
const CHANGES_A_SECOND = 50;
/** Most changes that wait for the API server. */
const MOST_OPEN = 50;
/** How often it is looked at what is held, in milliseconds. */
const LOOK = 250;

const metric = (text: string, name: string): number =>
  Number(new RegExp(`^${name.replace(/[{}"]/g, '\\$&')} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);

async function holding({ pid, metricsPort }: Soaked): Promise<Holding> {
  const [answer, status, descriptors] = await Promise.all([
    fetch(`http://127.0.0.1:${metricsPort}/metrics`).then((response) => response.text()),
    readFile(`/proc/${pid}/status`, 'utf8'),
    readdir(`/proc/${pid}/fd`),
  ]);
  const targets = await Promise.all(
    descriptors.map((number) => readlink(`/proc/${pid}/fd/${number}`).catch(() => '')),
  );
  return {
    heap: metric(answer, 'nodejs_heap_size_used_bytes') / 2 ** 20,
    resident: Number(/VmRSS:\s*(\d+) kB/.exec(status)?.[1]) / 1024,
    sockets: targets.filter((target) => target.startsWith('socket:')).length,
    timers: metric(answer, 'nodejs_active_resources{type="Timeout"}'),
  };
}

/** One change of many kinds; the rare ones are those that restart much inside. */
async function change(soaked: Soaked, step: number): Promise<unknown> {
  const { admin, services, watched, target } = soaked;
  const configMaps = `/api/v1/namespaces/${target}/configmaps`;
  const backend = `/api/v1/namespaces/${watched}/services`;
  switch (step % CHANGES_A_SECOND) {
    case 10:
      return admin.create(backend, {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: `loki-${step}`, labels: { 'app.kubernetes.io/name': 'loki' } },
        spec: { ports: [{ port: 3100, name: 'http-metrics' }] },
      });
    case 40:
      return admin.delete(`${backend}/loki-${step - 30}`);
    case 20:
      // Somebody edits what is generated.
      return admin.patch(`${configMaps}/kubernaut-toolset-config`, { data: { 'toolset.json': `{}${step}` } });
    case 30:
      return admin.patch(`${configMaps}/kubernaut-toolset-config`, {
        data: { 'overrides.yaml': `# ${step}\n` },
      });
    case 45:
      return admin.patch(`${configMaps}/dynamic-toolset-config`, {
        data: { 'health-check-timeout': `${1 + (Math.floor(step / CHANGES_A_SECOND) % 5)}s` },
      });
    default: {
      // A step that has no divisor in common with the number of Services meets each of them.
      const service = services[(step * 7919) % services.length];
      if (service === undefined) throw new Error('there are no Services to change');
      return admin.patch(`/api/v1/namespaces/${service.namespace}/services/${service.name}`, {
        metadata: { annotations: { 'soak/change': String(step) } },
      });
    }
  }
}

/** Changes all that `serve` looks at for some seconds. @returns what it held meanwhile, oldest first */
export async function soak(soaked: Soaked, seconds: number): Promise<Holding[]> {
  await soaked.admin.create(`/api/v1/namespaces/${soaked.target}/configmaps`, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'dynamic-toolset-config' },
    data: {},
  });
  const held: Holding[] = [];
  const open = new Set<Promise<unknown>>();
  const started = performance.now();
  let step = 0;
  let looked = 0;
  for (;;) {
    const passed = performance.now() - started;
    if (passed >= seconds * 1000) break;
    for (; step < (passed / 1000) * CHANGES_A_SECOND && open.size < MOST_OPEN; step++) {
      const done: Promise<unknown> = change(soaked, step)
        // Somebody else wrote in between: that is as good a change.
        .catch((error: unknown) => {
          if (!(error instanceof ApiError && [404, 409].includes(error.status))) throw error;
        })
        .finally(() => open.delete(done));
      open.add(done);
    }
    if (passed - looked >= LOOK) {
      looked = passed;
      held.push(await holding(soaked));
    }
    await sleep(1000 / CHANGES_A_SECOND);
  }
  await Promise.all(open);
  return held;
}

/** What was held in the second fifth and in the last fifth of the time. */
export function beginAndEnd(held: readonly Holding[]): { readonly begin: Holding; readonly end: Holding } {
  const fifth = Math.floor(held.length / 5);
  // The least memory is what is left after a collection; sockets and timers come and go with each change.
  const inAll = (some: readonly Holding[]): Holding => {
    const sorted = (name: keyof Holding): number[] => some.map((each) => each[name]).sort((x, y) => x - y);
    const least = (name: keyof Holding): number => sorted(name)[0] ?? Number.NaN;
    const median = (name: keyof Holding): number => sorted(name)[some.length >> 1] ?? Number.NaN;
    return {
      heap: least('heap'),
      resident: least('resident'),
      sockets: median('sockets'),
      timers: median('timers'),
    };
  };
  return { begin: inAll(held.slice(fifth, 2 * fifth)), end: inAll(held.slice(-fifth)) };
}

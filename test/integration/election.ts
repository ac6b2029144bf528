import { waitUntil } from '../cluster/cluster.ts';
import { faultyApi } from './faulty-api.ts';
import { PUBLISHING } from './rights.ts';
import { type Serve, startServe } from './serve-process.ts';
import { SELDOM, setting, toolNames } from './setting.ts';

export const LEASE = 'dynamic-toolset';
/** The domain in the other one's documents, which shows which of the two wrote them. */
export const OTHER = 'other.example';

/** A Lease lasts 15 s from the last renewal; the rest is for a busy machine. */
export const SOON = 16_500;

export const leaseRules = (verbs: readonly string[]) => [
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], resourceNames: [LEASE], verbs },
];

/** A setting in which several replicas may run, with the least rights that they need. */
export async function election() {
  const given = await setting({ history: false });
  const { cluster, watched, target } = given;
  const account = await cluster.serviceAccount({
    namespace: target,
    rulesIn: {
      [watched]: [{ apiGroups: [''], resources: ['services'], verbs: ['get', 'list', 'watch'] }],
      [target]: [...PUBLISHING, ...leaseRules(['get', 'list', 'watch', 'create', 'update'])],
    },
  });
  const env = { ...given.env, ...SELDOM, LEADER_ELECTION: 'true' };
  const allowed = { ...env, KUBECONFIG: await cluster.kubeconfig(account) };
  return {
    ...given,
    /** The environment of one that may not touch Leases. */
    denied: env,
    start: (name: string, more: Readonly<Record<string, string>> = {}) =>
      startServe({ ...allowed, POD_NAME: name, ...more }),
    /** What is published has these tools, by who has this domain. */
    published: (names: readonly string[], domain = 'cluster.local') =>
      waitUntil(`${names.join()} of ${domain} are published`, async () => {
        const live = await given.read();
        const tools = names.map((name) => `${name}.${watched}`).join();
        return toolNames(live).join() === tools && live.data['toolset.json']?.includes(domain) && live;
      }),
  };
}

export const said = (serve: Serve, text: string): boolean =>
  serve.lines.some(({ message }) => message.includes(text));

/** How long something takes, in milliseconds. */
export async function timed(what: Promise<unknown>): Promise<number> {
  const started = performance.now();
  await what;
  return performance.now() - started;
}

/** The leader `a`, which reaches the API server by a proxy and has its own domain, and the follower `b`. */
export async function leaderBehindProxy() {
  const given = await election();
  const api = await faultyApi(given.cluster.connection);
  /** What `a` wrote since it was emptied. */
  const writes: string[] = [];
  let cut = false;
  api.fault = ({ request: { method = '' }, url, forward }) => {
    const lease = url.pathname.includes('/leases');
    if (method !== 'GET' && !(cut && lease)) writes.push(`${method} ${url.pathname}`);
    if (!(cut && lease)) forward();
  };
  await given.prometheus();
  const a = given.start('a', { KUBECONFIG: api.kubeconfig, CLUSTER_DOMAIN: OTHER });
  await given.published(['prometheus'], OTHER);
  const b = given.start('b');
  await b.logged('following leader a_');
  return {
    ...given,
    a,
    b,
    writes,
    /** Whether what `a` asks of Leases is never answered. */
    cutLeases: (now: boolean) => {
      cut = now;
    },
  };
}

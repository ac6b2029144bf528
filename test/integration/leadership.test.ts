import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { waitUntil } from '../cluster/cluster.ts';
import { faultyApi } from './faulty-api.ts';
import { serveInside } from './inside.ts';
import { PUBLISHING } from './rights.ts';
import { type Serve, startServe } from './serve-process.ts';
import { SELDOM, setting, toolNames } from './setting.ts';

const LEASE = 'dynamic-toolset';
/** The domain in what the other one publishes: whoever writes can be told from what is written. */
const OTHER = 'other.example';

/** A Lease lasts 15 s from the last renewal; the rest is for a busy machine. */
const SOON = 16_500;

const leaseRules = (verbs: readonly string[]) => [
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], resourceNames: [LEASE], verbs },
];

/** A setting in which several replicas may run, with the least rights that they need. */
async function election() {
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

const said = (serve: Serve, text: string): boolean =>
  serve.lines.some(({ message }) => message.includes(text));

/** How long something takes, in milliseconds. */
async function timed(what: Promise<unknown>): Promise<number> {
  const started = performance.now();
  await what;
  return performance.now() - started;
}

/** The leader `a`, which reaches the API server by a proxy and has its own domain, and the follower `b`. */
async function leaderBehindProxy() {
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
  await b.logged('leads: a_');
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

describe('leader election, with real processes', { timeout: 60_000 }, () => {
  test('one writes and the other knows; when the first is killed the other goes on when its Lease is over', async () => {
    const { start, prometheus, loki, published, still, removeService } = await election();
    await prometheus();
    const a = start('a');
    await a.logged('became leader');
    await published(['prometheus']);
    const b = start('b', { CLUSTER_DOMAIN: OTHER });
    await b.logged('leads: a_');
    await loki();
    await published(['loki', 'prometheus']);
    await waitUntil('b sees Loki, too', () =>
      b.lines.some((line) => line.message === 'backend discovered' && line.service_type === 'loki'),
    );
    await still();
    await published(['loki', 'prometheus']);
    expect(said(b, 'toolset published')).toBe(false);

    a.process.kill('SIGKILL');
    await removeService('prometheus');
    expect(await timed(b.logged('became leader'))).toBeLessThan(SOON);
    await published(['loki'], OTHER);
    expect(await b.stop()).toBe(0);
  });

  test('when the first is stopped in order the other goes on at once', async () => {
    const { start, prometheus, loki, published } = await election();
    await prometheus();
    const a = start('a');
    await published(['prometheus']);
    const b = start('b');
    await b.logged('leads: a_');
    const [seconds, code] = await Promise.all([timed(b.logged('became leader')), a.stop()]);
    expect(seconds).toBeLessThan(3_000);
    expect(code).toBe(0);
    expect(said(a, 'lost the lead')).toBe(false);
    await loki();
    await published(['loki', 'prometheus']);
  });

  test('one that was paused for longer than its Lease writes nothing when it wakes up', async () => {
    const { a, b, writes, loki, published, still } = await leaderBehindProxy();
    a.process.kill('SIGSTOP');
    const paused = timed(b.logged('became leader'));
    expect(await paused).toBeLessThan(SOON);
    await published(['prometheus']);
    await sleep(3_000);
    const before = await still();
    writes.length = 0;
    a.process.kill('SIGCONT');
    await a.logged('lost the lead: the Lease could not be renewed');
    await a.logged('leads: b_');
    await sleep(1_500);
    expect((await still()).metadata.resourceVersion).toBe(before.metadata.resourceVersion);
    await loki();
    await published(['loki', 'prometheus']);
    await waitUntil('a sees Loki, too', () =>
      a.lines.some((line) => line.message === 'backend discovered' && line.service_type === 'loki'),
    );
    await sleep(1_500);
    expect(writes).toEqual([]);
  });

  test('one that cannot renew stops before another begins, though what it writes would go through', async () => {
    const { cluster, path, a, b, writes, cutLeases, published, still } = await leaderBehindProxy();
    cutLeases(true);
    const took = timed(b.logged('became leader'));
    await a.logged('lost the lead: the Lease could not be renewed for 10 s');
    expect(said(b, 'became leader')).toBe(false);
    writes.length = 0;
    // Who leads puts this right within moments; now there is nobody.
    const edited = await cluster.admin.patch(path, { data: { 'toolset.json': '{"tools":[]}\n' } });
    await sleep(1_500);
    expect((await still()).metadata.resourceVersion).toBe(edited.metadata.resourceVersion);
    expect(await took).toBeLessThan(SOON);
    await published(['prometheus']);

    cutLeases(false);
    await a.logged('leads: b_');
    await sleep(1_000);
    expect(writes).toEqual([]);
    expect(a.lines.filter(({ message }) => message.includes('was not published'))).toEqual([]);
  });

  test('without the rights it says what to grant, writes nothing, and goes on when it has them', async () => {
    const { cluster, account, target, denied, prometheus, published, read } = await election();
    await prometheus();
    const serve = startServe(denied);
    const { message } = await serve.logged('cannot hold Lease');
    expect(message).toContain(`grant "get", "create" and "update" on leases.coordination.k8s.io "${LEASE}"`);
    await serve.logged('discovery completed');
    await expect(read()).rejects.toThrow();
    const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${target}`;
    await cluster.admin.create(`${rbac}/roles`, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'leases' },
      rules: leaseRules(['get', 'create', 'update']),
    });
    await cluster.admin.create(`${rbac}/rolebindings`, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'leases' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'leases' },
      subjects: [{ kind: 'ServiceAccount', name: account.name, namespace: account.namespace }],
    });
    await serve.logged('became leader');
    await published(['prometheus']);
    expect((await serve.logged('cannot watch Lease')).level).toBe('warn');
  });

  test('it makes no sense with --once', async () => {
    const { denied } = await election();
    await expect(serveInside(denied, { once: true }).ended).rejects.toThrow('no leader election with --once');
  });
});

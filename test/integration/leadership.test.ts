import { describe, expect, test } from 'vitest';
import { waitUntil } from '../cluster/cluster.ts';
import { election, LEASE, leaseRules, OTHER, SOON, said, timed } from './election.ts';
import { serveInside } from './inside.ts';
import { startServe } from './serve-process.ts';

describe('leader election, with real processes', { timeout: 60_000 }, () => {
  test('one writes and the other follows; when the first is killed, the other takes over after the lease duration', async () => {
    const { start, prometheus, loki, published, still, removeService } = await election();
    await prometheus();
    const a = start('a');
    await a.logged('became leader');
    await published(['prometheus']);
    const b = start('b', { CLUSTER_DOMAIN: OTHER });
    await b.logged('following leader a_');
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

  test('when the first stops in order, the other takes over at once', async () => {
    const { start, prometheus, loki, published } = await election();
    await prometheus();
    const a = start('a');
    await published(['prometheus']);
    const b = start('b');
    await b.logged('following leader a_');
    const [seconds, code] = await Promise.all([timed(b.logged('became leader')), a.stop()]);
    expect(seconds).toBeLessThan(3_000);
    expect(code).toBe(0);
    expect(said(a, 'lost leadership')).toBe(false);
    await loki();
    await published(['loki', 'prometheus']);
  });

  test('without permissions it logs what to grant, writes nothing, and continues once it has them', async () => {
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

  test('it contradicts --once', async () => {
    const { denied } = await election();
    await expect(serveInside(denied, { once: true }).ended).rejects.toThrow('no leader election with --once');
  });
});

import { readFile, stat } from 'node:fs/promises';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { ApiError, restClient, testCluster, waitUntil } from './cluster.ts';

const cluster = testCluster();
const LIST_SERVICES = { apiGroups: [''], resources: ['services'], verbs: ['list'] };
const services = (namespace: string): string => `/api/v1/namespaces/${namespace}/services`;

describe('the administrator', { timeout: 60_000 }, () => {
  it('creates, reads, patches and deletes objects by path', async () => {
    const namespace = await cluster.namespace();
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const created = await cluster.admin.create(path, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'notes' },
      data: { first: '1' },
    });
    expect(created.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);

    await cluster.admin.patch(`${path}/notes`, { data: { second: '2' } });
    expect(await cluster.admin.get(`${path}/notes`)).toMatchObject({ data: { first: '1', second: '2' } });

    await cluster.admin.delete(`${path}/notes`);
    await expect(cluster.admin.get(`${path}/notes`)).rejects.toMatchObject({
      status: 404,
      reason: 'NotFound',
    });
    await cluster.admin.delete(`${path}/notes`);
  });

  it('gets namespaces with unique names', async () => {
    const names = await Promise.all([1, 2, 3].map(() => cluster.namespace('same')));
    expect(new Set(names).size).toBe(3);
    for (const name of names) expect(name).toMatch(/^same-[a-z0-9]+$/);
  });

  it('gets the reason if the API server rejects an object', async () => {
    const namespace = await cluster.namespace();
    const refused = cluster.service(namespace, { name: 'Not_A_Name', ports: [80] });
    await expect(refused).rejects.toBeInstanceOf(ApiError);
    await expect(refused).rejects.toMatchObject({
      status: 422,
      message: expect.stringContaining('Not_A_Name'),
    });
  });
});

describe('a Service in short form', { timeout: 60_000 }, () => {
  it('is stored with its ports, labels and annotations', async () => {
    const namespace = await cluster.namespace();
    await cluster.service(namespace, {
      name: 'prometheus',
      ports: [9090, { port: 10901, name: 'grpc', targetPort: 'grpc', appProtocol: 'grpc' }],
      labels: { app: 'prometheus' },
      annotations: { note: 'x' },
      selector: { app: 'prometheus' },
    });
    const stored = await cluster.admin.get(`${services(namespace)}/prometheus`);
    expect(stored.metadata).toMatchObject({ labels: { app: 'prometheus' }, annotations: { note: 'x' } });
    expect(stored.spec).toMatchObject({
      type: 'ClusterIP',
      clusterIP: expect.stringMatching(/^10\.96\./),
      selector: { app: 'prometheus' },
      ports: [
        { name: 'port-9090', port: 9090, protocol: 'TCP', targetPort: 9090 },
        { name: 'grpc', port: 10901, targetPort: 'grpc', appProtocol: 'grpc' },
      ],
    });
  });

  it('can be headless, or a name outside the cluster', async () => {
    const namespace = await cluster.namespace();
    const headless = await cluster.service(namespace, { name: 'headless', ports: [3100], headless: true });
    expect(headless.spec).toMatchObject({ clusterIP: 'None' });
    const outside = await cluster.service(namespace, { name: 'outside', externalName: 'loki.example.com' });
    expect(outside.spec).toMatchObject({ type: 'ExternalName', externalName: 'loki.example.com' });
  });
});

describe('server-side apply', { timeout: 60_000 }, () => {
  it('creates, changes its own fields only, and is recorded under its manager', async () => {
    const namespace = await cluster.namespace();
    const path = `/api/v1/namespaces/${namespace}/configmaps/applied`;
    const object = (data: Record<string, string>) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'applied' },
      data,
    });
    const first = await cluster.admin.apply(path, object({ a: '1', b: '1' }), 'ours');
    await cluster.admin.apply(path, object({ theirs: '1' }), 'theirs');
    const second = await cluster.admin.apply(path, object({ a: '2' }), 'ours');

    expect(second.data).toEqual({ a: '2', theirs: '1' });
    expect(second.metadata.uid).toBe(first.metadata.uid);
    expect(second.metadata.managedFields).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ manager: 'ours', operation: 'Apply' }),
        expect.objectContaining({ manager: 'theirs', operation: 'Apply' }),
      ]),
    );
    const again = await cluster.admin.apply(path, object({ a: '2' }), 'ours');
    expect(again.metadata.resourceVersion).toBe(second.metadata.resourceVersion);
  });
});

describe('a ServiceAccount', { timeout: 60_000 }, () => {
  it('may list where its Role allows it, and gets 403 elsewhere', async () => {
    const [here, elsewhere] = await Promise.all([cluster.namespace('here'), cluster.namespace('elsewhere')]);
    await cluster.service(here, { name: 'loki', ports: [3100] });
    const account = await cluster.serviceAccount({ namespace: here, rulesIn: { [here]: [LIST_SERVICES] } });
    const rest = await cluster.as(account);

    const list = await rest.get<{ readonly items: readonly { metadata: { name: string } }[] }>(
      services(here),
    );
    expect(list.items.map((item) => item.metadata.name)).toEqual(['loki']);

    const refused = { status: 403, reason: 'Forbidden', message: expect.stringContaining(account.user) };
    await expect(rest.get(services(elsewhere))).rejects.toMatchObject(refused);
    await expect(rest.get('/api/v1/services')).rejects.toMatchObject(refused);
    await expect(rest.get(`${services(here)}/loki`)).rejects.toMatchObject(refused);
  });

  it('may list everywhere with a ClusterRole', async () => {
    const [home, elsewhere] = await Promise.all([cluster.namespace('home'), cluster.namespace('elsewhere')]);
    const account = await cluster.serviceAccount({ namespace: home, clusterRules: [LIST_SERVICES] });
    const rest = await cluster.as(account);
    expect((await rest.request('GET', services(elsewhere))).status).toBe(200);
    expect((await rest.request('GET', '/api/v1/services')).status).toBe(200);
    expect((await rest.request('GET', '/api/v1/pods')).status).toBe(403);
  });

  it('is identified by its token, and a forged one is rejected', async () => {
    const namespace = await cluster.namespace();
    const account = await cluster.serviceAccount({ namespace });
    const rest = await cluster.as(account);
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview', metadata: {} };
    expect(await rest.create(path, review)).toMatchObject({
      status: {
        userInfo: { username: account.user, groups: expect.arrayContaining(['system:serviceaccounts']) },
      },
    });

    const { server, caPem } = cluster.connection;
    const token = await cluster.token(account);
    const [header, payload, signature = ''] = token.split('.');
    const forged = [header, payload, signature.split('').reverse().join('')].join('.');
    const reply = await restClient(server, caPem, { token: forged }).request('POST', path, review);
    expect(reply.status).toBe(401);
  });

  it('has a kubeconfig file that only its owner can read and that the official client can use', async () => {
    const [here, elsewhere] = await Promise.all([cluster.namespace('here'), cluster.namespace('elsewhere')]);
    await cluster.service(here, { name: 'tempo', ports: [3200] });
    const account = await cluster.serviceAccount({ namespace: here, rulesIn: { [here]: [LIST_SERVICES] } });
    const path = await cluster.kubeconfig(account);

    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readFile(path, 'utf8')).toContain(`namespace: ${here}`);

    const kubeconfig = new KubeConfig();
    kubeconfig.loadFromFile(path);
    const api = kubeconfig.makeApiClient(CoreV1Api);
    const list = await api.listNamespacedService({ namespace: here });
    expect(list.items.map((item) => item.metadata?.name)).toEqual(['tempo']);
    await expect(api.listNamespacedService({ namespace: elsewhere })).rejects.toMatchObject({ code: 403 });
  });
});

describe('waiting', { timeout: 60_000 }, () => {
  it('returns what the probe found', async () => {
    let tries = 0;
    const found = await waitUntil('the third try', () => (++tries === 3 ? 'here' : undefined), {
      everyMs: 1,
    });
    expect([found, tries]).toEqual(['here', 3]);
  });

  it('reports in the end what it waited for and what it saw last', async () => {
    const options = { limitMs: 30, everyMs: 5 };
    await expect(waitUntil('pigs fly', () => false, options)).rejects.toThrow(
      'waited 0.03 s in vain until pigs fly; the last try gave false',
    );
    const failing = (): never => {
      throw new Error('no wings');
    };
    await expect(waitUntil('pigs fly', failing, options)).rejects.toThrow('the last try failed: no wings');
  });
});

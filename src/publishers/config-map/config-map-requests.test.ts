/** What the publisher asks of the API server, and what it makes of the answers. */
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { configMapsApi } from '../../../test/fixtures/unit/config-maps-api.ts';
import { json, kubeServer, kubeTo } from '../../../test/fixtures/unit/kube-server.ts';
import { toolset } from '../../../test/fixtures/unit/toolset.ts';
import type { Documents } from '../../model/documents.ts';
import { ClusterError } from '../../model/errors.ts';
import type { OwnerReference, Plan } from '../../model/published.ts';
import { plan } from '../../planning/plan.ts';
import { OwnerRefused, PublishConflict } from '../publisher.ts';
import { configMapPublisher } from './config-map-publisher.ts';

const { signal } = new AbortController();
const documents: Documents = { 'toolset.json': '{"tools":[]}\n', 'custom_toolset.yaml': 'toolsets: {}\n' };
const CREATE = plan(toolset(documents), undefined, '1');
const OWNER: OwnerReference = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd', uid: 'd' };

interface Refusal {
  readonly code: number;
  readonly message: string;
}

/** A ConfigMap on a server, and all writes that it got. */
async function setup() {
  const state = {
    live: undefined as { metadata: Record<string, unknown>; data: Record<string, string> } | undefined,
    version: 1,
    refusal: undefined as Refusal | undefined,
    watches: [] as ((event: unknown) => void)[],
  };
  const writes: { readonly query: string; readonly body: unknown }[] = [];
  const object = () => ({
    ...state.live,
    metadata: { ...state.live?.metadata, name: 'toolset', resourceVersion: String(state.version), uid: 'u' },
  });
  const { kube } = await kubeServer(async (response, { path, query, watch }, request) => {
    const { refusal } = state;
    if (refusal !== undefined) return json(response, { kind: 'Status', ...refusal }, refusal.code);
    if (watch) {
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      state.watches.push((event) => response.write(`${JSON.stringify(event)}\n`));
      return;
    }
    const items = state.live === undefined || query.has('labelSelector') ? [] : [object()];
    if (path.endsWith('/configmaps')) return json(response, { metadata: { resourceVersion: '1' }, items });
    if (request.method === 'GET')
      return items.length === 0
        ? json(response, { kind: 'Status', code: 404, message: 'configmaps "toolset" not found' }, 404)
        : json(response, object());
    const body = JSON.parse(await text(request));
    writes.push({ query: query.toString(), body });
    state.version++;
    const fieldManager = query.get('fieldManager');
    const { annotations, ...metadata } = body.metadata ?? {};
    const managedFields = Array.isArray(body)
      ? []
      : fieldManager === null
        ? state.live?.metadata.managedFields
        : [{ manager: fieldManager }];
    state.live = {
      metadata: {
        ...state.live?.metadata,
        ...metadata,
        managedFields,
        annotations: { ...(state.live?.metadata.annotations as object), ...annotations },
      },
      data: { ...state.live?.data, ...body.data },
    };
    json(response, object());
  });
  const publisher = configMapPublisher(kube, { namespace: 'ns', name: 'toolset' });
  const apply = (change: Partial<Plan> = {}) =>
    publisher.apply({ ...CREATE, ...change }, new Date(0), signal);
  return { state, writes, publisher, apply };
}

describe('overrides are restored with a deleted ConfigMap', () => {
  test('in the request that creates it, without force, and released at once', async () => {
    const { state, writes, apply } = await setup();
    await apply({ restore: '# mine' });
    expect(writes).toMatchObject([
      {
        query: 'fieldManager=dynamic-toolset-restore&force=false',
        body: { data: { ...documents, 'overrides.yaml': '# mine' } },
      },
      {
        query: 'fieldManager=dynamic-toolset&force=true',
        body: { metadata: { resourceVersion: '2', uid: 'u' }, data: documents },
      },
    ]);
    expect(state.live?.data).toEqual({ ...documents, 'overrides.yaml': '# mine' });
  });

  test('an obsolete annotation of ours is removed, whoever owns it', async () => {
    const { state, writes, apply } = await setup();
    const [held, error] = ['kubernaut.io/removal-held', 'kubernaut.io/override-error'];
    state.live = { metadata: { annotations: { [held]: 'x', [error]: 'y', other: 'z' } }, data: {} };
    await apply({ annotations: { ...CREATE.annotations, [error]: 'y' } });
    expect(writes.slice(1)).toEqual([{ query: '', body: { metadata: { annotations: { [held]: null } } } }]);
  });
});

describe('a rejected request is reported with the fix', () => {
  const NAME = 'ConfigMap ns/toolset';

  test.each<[string, Refusal, Partial<Plan>, new (...of: never[]) => Error, RegExp]>([
    [
      'another client was faster',
      { code: 409, message: 'changed' },
      {},
      PublishConflict,
      /at the same time: .*retried/,
    ],
    [
      'it was deleted a moment after it was made',
      { code: 404, message: 'configmaps "toolset" not found' },
      {},
      PublishConflict,
      /at the same time/,
    ],
    [
      'it was deleted before a change',
      { code: 404, message: 'not found' },
      { action: 'update' },
      PublishConflict,
      /at the same time/,
    ],
    [
      'the namespace is not there',
      { code: 404, message: 'namespaces "ns" not found' },
      {},
      ClusterError,
      /^cannot write ConfigMap ns\/toolset: the namespace ns does not exist; create it/,
    ],
    [
      'no permission',
      { code: 403, message: 'configmaps is forbidden' },
      { owner: OWNER },
      ClusterError,
      /^cannot write ConfigMap ns\/toolset: configmaps is forbidden; grant it/,
    ],
    [
      'it is not valid',
      { code: 422, message: 'configmaps "toolset" is invalid' },
      { action: 'update' },
      ClusterError,
      /^cannot write ConfigMap ns\/toolset: .* is invalid/,
    ],
    [
      'no permission to be owned',
      { code: 403, message: 'cannot set an ownerRef on a resource you cannot delete' },
      { owner: OWNER },
      OwnerRefused,
      /gets no owner reference: .*; grant "delete" on it, or leave out POD_NAME$/,
    ],
    [
      'the same where it is not ours that is refused',
      { code: 403, message: 'cannot set an ownerRef on a resource you cannot delete' },
      {},
      ClusterError,
      /write ConfigMap ns\/toolset/,
    ],
  ])('%s', async (_, refusal, change, kind, message) => {
    const { state, apply } = await setup();
    state.refusal = refusal;
    const error = await apply(change).catch((each: unknown) => each);
    expect(error).toBeInstanceOf(kind);
    expect((error as Error).message).toMatch(message);
  });

  test('so is a rejected read; an abort is reported as an abort', async () => {
    const { state, publisher } = await setup();
    state.refusal = { code: 403, message: 'configmaps is forbidden' };
    await expect(publisher.read(signal)).rejects.toThrow(`cannot read ${NAME}`);
    const reason = new Error('stopped');
    await expect(publisher.read(AbortSignal.abort(reason))).rejects.toBe(reason);
    await expect(publisher.apply(CREATE, new Date(0), AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

describe('a read', () => {
  test('returns the content of operators and ours', async () => {
    const { state, publisher } = await setup();
    expect(await publisher.read(signal)).toBeUndefined();
    expect(publisher.uid()).toBeUndefined();
    state.live = {
      metadata: {
        labels: { a: 'b' },
        annotations: { c: 'd' },
        managedFields: [{ manager: 'helm' }, {}, { manager: 'kubectl' }],
        ownerReferences: [OWNER],
      },
      data: { ...documents, 'overrides.yaml': '# mine' },
    };
    expect(await publisher.read(signal)).toEqual({
      data: { ...documents, 'overrides.yaml': '# mine' },
      binary: [],
      labels: { a: 'b' },
      annotations: { c: 'd' },
      version: '1',
      immutable: false,
      managers: ['helm', 'kubectl'],
      owners: [OWNER],
      unread: [],
    });
    expect(publisher.uid()).toBe('u');
    state.live = undefined;
    await publisher.read(signal);
    expect(publisher.uid()).toBe('u');
  });

  test('an owner reference of another manager is not ours', async () => {
    const { state, publisher } = await setup();
    const fieldsV1 = { 'f:metadata': { 'f:ownerReferences': { 'k:{"uid":"d"}': {} } } };
    state.live = {
      metadata: { ownerReferences: [OWNER], managedFields: [{ manager: 'helm', fieldsV1 }] },
      data: {},
    };
    expect(await publisher.read(signal)).not.toHaveProperty('ownOwner');
  });
});

test('a failing watch is reported once, until it recovers', async () => {
  const { state, publisher } = await setup();
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  state.refusal = { code: 403, message: 'configmaps is forbidden' };
  const failed = vi.fn<(error: Error) => void>();
  const changed = vi.fn();
  const watching = publisher.watch?.(changed, failed, stop.signal);
  await vi.waitFor(() => expect(failed).toHaveBeenCalled());
  const messages = () => failed.mock.calls.map(([error]) => error.message);
  expect(messages().filter((each) => /ConfigMap ns\/toolset/.test(each))).toHaveLength(messages().length);
  expect(changed).not.toHaveBeenCalled();
  stop.abort();
  await watching;
});

test('an API server that cannot be reached is no conflict', async () => {
  const publisher = configMapPublisher(await kubeTo('http://127.0.0.1:1'), {
    namespace: 'ns',
    name: 'toolset',
  });
  const error = await publisher.apply(CREATE, new Date(0), signal).catch((each: unknown) => each);
  expect(error).toBeInstanceOf(ClusterError);
  expect((error as Error).message).toMatch(/cannot write ConfigMap ns\/toolset/);
});

test('a deleted ConfigMap is recreated without the identity of the old one', async () => {
  const { state, writes, publisher, apply } = await setup();
  state.live = { metadata: {}, data: documents };
  await publisher.read(signal);
  state.live = undefined;
  await publisher.read(signal);
  await apply();
  expect(writes).toMatchObject([{ query: expect.stringContaining('force=false') }]);
  expect(writes[0]?.body).toMatchObject({
    metadata: expect.not.objectContaining({ uid: expect.anything() }),
  });
});

test('a history is that of the publisher', async () => {
  const { kube } = await kubeServer(() => {});
  const target = { namespace: 'ns', name: 'toolset' };
  const history = { list: async () => [], record: async () => [] };
  expect(configMapPublisher(kube, target, { history }).history).toBe(history);
  expect(configMapPublisher(kube, target).history).toBeUndefined();
});

test('restored overrides have no field manager afterwards', async () => {
  const { kube, stored } = await configMapsApi();
  const publisher = configMapPublisher(kube, { namespace: 'ns', name: 'toolset' });
  await publisher.apply({ ...CREATE, restore: '# mine' }, new Date(0), signal);
  expect(stored.get('toolset')?.data).toEqual({ ...documents, 'overrides.yaml': '# mine' });
  expect(stored.get('toolset')?.metadata.managedFields).toEqual([{ manager: 'dynamic-toolset' }]);
});

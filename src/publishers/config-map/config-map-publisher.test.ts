import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test, vi } from 'vitest';
import { json, kubeServer, refuse } from '../../../test/fixtures/unit/kube-server.ts';
import { toolset } from '../../../test/fixtures/unit/toolset.ts';
import type { Documents } from '../../model/documents.ts';
import { plan } from '../../planning/plan.ts';
import { PublishConflict } from '../publisher.ts';
import { configMapPublisher } from './config-map-publisher.ts';

const { signal } = new AbortController();
const documents: Documents = { 'toolset.json': '{"tools":[]}\n', 'custom_toolset.yaml': 'toolsets: {}\n' };

interface Applied {
  readonly manager: string | null;
  readonly force: string | null;
  readonly body: { readonly metadata: Record<string, unknown>; readonly data: Record<string, string> };
}

/** A ConfigMap on a server, as far as a publisher asks for it. */
async function place() {
  const applied: Applied[] = [];
  const state = {
    live: undefined as Record<string, unknown> | undefined,
    version: 1,
    conflict: false,
    watches: [] as ((event: unknown) => void)[],
  };
  const object = () => ({
    metadata: {
      ...state.live,
      name: 'toolset',
      namespace: 'ns',
      resourceVersion: String(state.version),
      uid: 'u',
    },
    data: documents,
  });
  const { kube } = await kubeServer(async (response, { query, watch, path }, request) => {
    if (watch) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.flushHeaders();
      state.watches.push((event) => response.write(`${JSON.stringify(event)}\n`));
      return;
    }
    if (request.method === 'GET' && path.endsWith('/configmaps'))
      return json(response, {
        metadata: { resourceVersion: '1' },
        items: state.live === undefined ? [] : [object()],
      });
    if (request.method === 'GET')
      return state.live === undefined ? refuse(response, 404, 'NotFound') : json(response, object());
    const body = JSON.parse(await text(request));
    applied.push({ manager: query.get('fieldManager'), force: query.get('force'), body });
    if (state.conflict) return refuse(response, 409, 'Conflict');
    state.live ??= {};
    state.version++;
    json(response, object());
  });
  return {
    applied,
    state,
    object,
    publisher: configMapPublisher(kube, { namespace: 'ns', name: 'toolset' }),
  };
}

test('a missing one is created without taking over fields of a quicker client', async () => {
  const { applied, publisher } = await place();
  await publisher.apply(plan(toolset(documents), await publisher.read(signal), '1'), new Date(0), signal);
  expect(applied).toMatchObject([{ manager: 'dynamic-toolset', force: 'false' }]);
  expect(applied[0]?.body.metadata).not.toHaveProperty('resourceVersion');
});

test('an existing one is changed only in the planned state', async () => {
  const { applied, state, publisher } = await place();
  state.live = {};
  await publisher.apply(plan(toolset(documents), await publisher.read(signal), '1'), new Date(0), signal);
  expect(applied).toMatchObject([{ force: 'true', body: { metadata: { resourceVersion: '1', uid: 'u' } } }]);
});

test('if another client was quicker, a conflict leads to a new plan', async () => {
  const { state, publisher } = await place();
  state.conflict = true;
  const decided = plan(toolset(documents), undefined, '1');
  await expect(publisher.apply(decided, new Date(0), signal)).rejects.toThrow(PublishConflict);
});

test('a plan without changes sends nothing', async () => {
  const { applied, publisher } = await place();
  await publisher.apply({ ...plan(toolset(documents), undefined, '1'), action: 'none' }, new Date(0), signal);
  expect(applied).toEqual([]);
});

test('our owner reference is recognized by its field manager', async () => {
  const { state, publisher } = await place();
  const owner = (uid: string) => ({ apiVersion: 'apps/v1', kind: 'Deployment', name: uid, uid });
  state.live = {
    ownerReferences: [owner('theirs'), owner('ours')],
    managedFields: [
      {
        manager: 'dynamic-toolset',
        fieldsV1: { 'f:metadata': { 'f:ownerReferences': { '.': {}, 'k:{"uid":"ours"}': {} } } },
      },
    ],
  };
  expect((await publisher.read(signal))?.ownOwner).toEqual(owner('ours'));
});

test('our own changes are not reported, those of others are', async () => {
  const { state, object, publisher } = await place();
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const changed = vi.fn();
  state.live = {};
  await publisher.read(signal);
  const watching = publisher.watch?.(changed, () => {}, stop.signal);
  await vi.waitFor(() => expect(state.watches).toHaveLength(1));
  await publisher.apply(plan(toolset(documents), await publisher.read(signal), '1'), new Date(0), signal);
  state.watches[0]?.({ type: 'MODIFIED', object: object() });
  state.version++;
  state.watches[0]?.({ type: 'MODIFIED', object: object() });
  await vi.waitFor(() => expect(changed).toHaveBeenCalled());
  state.watches[0]?.({ type: 'DELETED', object: object() });
  await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(2));
  expect(changed).toHaveBeenCalledTimes(2);
  stop.abort();
  await watching;
});

import { afterEach, expect, test, vi } from 'vitest';
import type { ConfigMap } from '../../kubernetes/config-maps.ts';
import type { KubeClient, KubeRequest } from '../../kubernetes/connection.ts';
import { ApiStatusError } from '../../kubernetes/status.ts';
import { ConfigError } from '../../model/errors.ts';
import { editOverrides } from './edit-overrides.ts';

const TARGET = { namespace: 'kubernaut-system', name: 'kubernaut-toolset-config' };
const { signal } = new AbortController();

afterEach(() => void vi.useRealTimers());

// Fake timers do not reach the promises of Node.
vi.mock('node:timers/promises', () => ({
  setTimeout: (delay: number) => new Promise((resolve) => globalThis.setTimeout(resolve, delay)),
}));

/** The bodies of the two kinds of requests that change something: a merge patch, and a JSON patch. */
interface Merge {
  readonly metadata: { readonly resourceVersion: string };
  readonly data: Readonly<Record<string, string>>;
  readonly binaryData: Readonly<Record<string, null>>;
}
type Release = readonly [version: { readonly value: string }, removed: { readonly path: string }];

/** A ConfigMap in memory. @param between what others write just before each of our writes, as long as there is some */
function configMap(first: string | undefined, between: (string | undefined)[] = []) {
  const state = {
    version: 1,
    overrides: first,
    hasData: true,
    isBinary: false,
    managers: ['helm'],
    labels: {} as Record<string, string>,
    writes: 0,
    /** The methods of all requests. */
    requests: [] as string[],
    /** The code of a refusal. */
    refused: undefined as number | undefined,
    /** Called before fields are released. */
    onRelease: (): void => {},
    /** Called after each conflict. */
    onConflict: (): void => {},
  };
  const live = (): ConfigMap => ({
    metadata: {
      resourceVersion: String(state.version),
      labels: state.labels,
      managedFields: state.managers.map((manager) => ({ manager })),
    },
    ...(state.isBinary
      ? { binaryData: { 'overrides.yaml': Buffer.from(state.overrides ?? '').toString('base64') } }
      : state.hasData
        ? { data: { 'toolset.json': '{}', 'overrides.yaml': state.overrides ?? '' } }
        : {}),
  });
  const check = (basis: string): void => {
    if (basis === String(state.version)) return;
    state.onConflict();
    throw new ApiStatusError(409, 'conflict');
  };
  const write = (path: string, { metadata, data, binaryData }: Merge): void => {
    check(metadata.resourceVersion);
    expect(Object.keys(data)).toEqual(['overrides.yaml']);
    expect(binaryData).toEqual({ 'overrides.yaml': null });
    state.overrides = data['overrides.yaml'];
    state.managers.push(new URL(path, 'http://test').searchParams.get('fieldManager') ?? '');
    state.writes++;
  };
  const release = ([{ value }, { path }]: Release): void => {
    state.onRelease();
    const index = Number(path.split('/').at(-1));
    // The API server applies a patch before it compares the version.
    if (index >= state.managers.length) throw new ApiStatusError(422, 'an error in our request');
    check(value);
    state.managers.splice(index, 1);
  };
  const request = async (
    { method = 'GET', path, body }: KubeRequest,
    stop: AbortSignal,
  ): Promise<unknown> => {
    stop.throwIfAborted();
    state.requests.push(method);
    if (state.refused !== undefined) throw new ApiStatusError(state.refused, 'refused');
    if (method !== 'GET') {
      const foreign = between.shift();
      if (foreign !== undefined) {
        state.overrides = foreign;
        state.version++;
      }
    }
    if (state.overrides === undefined) throw new ApiStatusError(404, 'not found');
    if (method === 'GET') return live();
    if (Array.isArray(body)) release(body as unknown as Release);
    else write(path, body as Merge);
    state.version++;
    return live();
  };
  const kube = { server: 'the cluster', request } as unknown as KubeClient;
  const edit = (dryRun = false, change = (before: string): string => `${before}+`, stop = signal) =>
    editOverrides(kube, TARGET, change, dryRun, stop);
  return { state, edit };
}

test('writes the text, and owns no field afterwards', async () => {
  const { state, edit } = configMap('a');
  expect(await edit()).toEqual({ before: 'a', after: 'a+' });
  expect(state).toMatchObject({ overrides: 'a+', managers: ['helm'], writes: 1 });
  expect(state.requests).toEqual(['GET', 'PATCH', 'PATCH']);
});

test('keeps concurrent changes: the edit is applied to them', async () => {
  const { state, edit } = configMap('a', ['b', 'c']);
  expect(await edit()).toEqual({ before: 'c', after: 'c+' });
  expect(state.overrides).toBe('c+');
});

test('reports a client that keeps writing, and writes nothing', async () => {
  vi.useFakeTimers();
  const { state, edit } = configMap('a', Array(50).fill('b'));
  const edited = expect(edit()).rejects.toThrow(/changed by others in each of 6 attempts/);
  await vi.advanceTimersByTimeAsync(60_000);
  await edited;
  expect(state.writes).toBe(0);
  expect(state.requests.filter((method) => method === 'PATCH')).toHaveLength(6);
});

test('a dry run writes nothing', async () => {
  const { state, edit } = configMap('a');
  expect(await edit(true)).toEqual({ before: 'a', after: 'a+' });
  expect(state).toMatchObject({ overrides: 'a', writes: 0 });
});

test('leaves a ConfigMap of another manager as it is, unless it was ours', async () => {
  const { state, edit } = configMap('a');
  state.labels = { 'app.kubernetes.io/managed-by': 'argocd' };
  await expect(edit()).rejects.toThrow(
    /left as it is, .*: it is managed by argocd and was never ours; choose/,
  );
  expect(state.writes).toBe(0);
  expect(await edit(true, (text) => text)).toEqual({ before: 'a', after: 'a' });
  state.managers.push('dynamic-toolset');
  expect(await edit()).toEqual({ before: 'a', after: 'a+' });
});

test('explains what to do without a ConfigMap', async () => {
  const { edit } = configMap(undefined);
  await expect(edit()).rejects.toThrow(/does not exist; serve creates it/);
});

test('who writes right after it is no reason to keep the field', async () => {
  const { state, edit } = configMap('a', [undefined, 'b']);
  expect(await edit()).toEqual({ before: 'a', after: 'a+' });
  expect(state).toMatchObject({ overrides: 'b', managers: ['helm'], writes: 1 });
});

test('another approval that releases its field at the same time is no reason to keep the field', async () => {
  const { state, edit } = configMap('a');
  state.managers.unshift('other');
  state.onRelease = () => {
    state.onRelease = () => {};
    state.managers.shift();
    state.version++;
  };
  expect(await edit()).toEqual({ before: 'a', after: 'a+' });
  expect(state).toMatchObject({ managers: ['helm'], writes: 1 });
});

test('a text that was written counts, although others keep writing so that the field stays', async () => {
  vi.useFakeTimers();
  const { state, edit } = configMap('a', [undefined, ...Array(50).fill('b')]);
  const edited = expect(edit()).resolves.toEqual({ before: 'a', after: 'a+' });
  await vi.advanceTimersByTimeAsync(60_000);
  await edited;
  expect(state.writes).toBe(1);
});

test('a ConfigMap that others change and delete right after the write has no field to release', async () => {
  const { state, edit } = configMap('a', [undefined, 'b']);
  state.onConflict = () => {
    state.overrides = undefined;
  };
  expect(await edit()).toEqual({ before: 'a', after: 'a+' });
});

test('a ConfigMap without any data has no overrides yet', async () => {
  const { state, edit } = configMap('');
  state.hasData = false;
  expect(await edit()).toEqual({ before: '', after: '+' });
  expect(state.overrides).toBe('+');
});

test('an edit that changes nothing writes nothing', async () => {
  const { state, edit } = configMap('a');
  expect(await edit(false, (before) => before)).toEqual({ before: 'a', after: 'a' });
  expect(state.writes).toBe(0);
});

test('an error of the edit is thrown unchanged', async () => {
  const { edit } = configMap('a');
  const fault = new ConfigError('no such tool');
  const failing = edit(false, () => {
    throw fault;
  });
  await expect(failing).rejects.toBe(fault);
});

test('a rejection names the change and the fix, and an abort is passed on unchanged', async () => {
  const { state, edit } = configMap('a');
  state.refused = 403;
  await expect(edit()).rejects.toThrow(
    /^cannot change overrides.yaml in ConfigMap kubernaut-system\/kubernaut-toolset-config: .*; grant it/,
  );
  const reason = new Error('stopped');
  await expect(edit(false, undefined, AbortSignal.abort(reason))).rejects.toBe(reason);
});

test('edits a text that is in binaryData', async () => {
  const { state, edit } = configMap('a');
  state.isBinary = true;
  expect(await edit()).toEqual({ before: 'a', after: 'a+' });
});

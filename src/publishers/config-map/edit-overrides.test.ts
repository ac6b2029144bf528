import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { json, kubeServer, refuse } from '../../../test/fixtures/unit/kube-server.ts';
import { ConfigError } from '../../model/errors.ts';
import { editOverrides } from './edit-overrides.ts';

const TARGET = { namespace: 'kubernaut-system', name: 'kubernaut-toolset-config' };
const { signal } = new AbortController();

/** A ConfigMap. @param between what others write just before each of our writes, as long as there is some */
async function configMap(first: string | undefined, between: (string | undefined)[] = []) {
  const state = {
    version: 1,
    overrides: first,
    hasData: true,
    managers: ['helm'],
    writes: 0,
    /** The code of a refusal. */
    refused: undefined as number | undefined,
  };
  const { kube } = await kubeServer(async (response, { query }, request) => {
    const live = () => ({
      metadata: {
        resourceVersion: String(state.version),
        managedFields: state.managers.map((manager) => ({ manager })),
      },
      ...(state.hasData ? { data: { 'toolset.json': '{}', 'overrides.yaml': state.overrides } } : {}),
    });
    if (state.refused !== undefined) return refuse(response, state.refused, 'Scripted');
    if (state.overrides === undefined) return refuse(response, 404, 'NotFound');
    if (request.method === 'GET') return json(response, live());
    const body = JSON.parse(await text(request));
    const foreign = between.shift();
    if (foreign !== undefined) {
      state.overrides = foreign;
      state.version++;
    }
    const basis = Array.isArray(body) ? body[0].value : body.metadata.resourceVersion;
    if (basis !== String(state.version)) return refuse(response, 409, 'Conflict');
    state.version++;
    if (Array.isArray(body)) state.managers.splice(Number(body[1].path.split('/').at(-1)), 1);
    else {
      expect(Object.keys(body.data)).toEqual(['overrides.yaml']);
      state.overrides = body.data['overrides.yaml'];
      state.managers.push(query.get('fieldManager') ?? '');
      state.writes++;
    }
    json(response, live());
  });
  const edit = (dryRun = false, change = (before: string): string => `${before}+`, stop = signal) =>
    editOverrides(kube, TARGET, change, dryRun, stop);
  return { state, edit };
}

test('writes the text, and owns no field afterwards', async () => {
  const { state, edit } = await configMap('a');
  expect(await edit()).toEqual({ before: 'a', after: 'a+' });
  expect(state).toMatchObject({ overrides: 'a+', managers: ['helm'], writes: 1 });
});

test('keeps concurrent changes: the edit is applied to them', async () => {
  const { state, edit } = await configMap('a', ['b', 'c']);
  expect(await edit()).toEqual({ before: 'c', after: 'c+' });
  expect(state.overrides).toBe('c+');
});

test('reports a client that keeps writing, and writes nothing', async () => {
  const { state, edit } = await configMap('a', Array(50).fill('b'));
  await expect(edit()).rejects.toThrow(/changed by others in each of 6 attempts/);
  expect(state.writes).toBe(0);
});

test('a dry run writes nothing', async () => {
  const { state, edit } = await configMap('a');
  expect(await edit(true)).toEqual({ before: 'a', after: 'a+' });
  expect(state).toMatchObject({ overrides: 'a', writes: 0 });
});

test('explains what to do without a ConfigMap', async () => {
  const { edit } = await configMap(undefined);
  await expect(edit()).rejects.toThrow(/does not exist; serve creates it/);
});

test('who writes right after it is no reason to keep the field', async () => {
  const { state, edit } = await configMap('a', [undefined, 'b']);
  expect(await edit()).toEqual({ before: 'a', after: 'a+' });
  expect(state).toMatchObject({ overrides: 'b', managers: ['helm'], writes: 1 });
});

test('a ConfigMap without any data has no overrides yet', async () => {
  const { state, edit } = await configMap('');
  state.hasData = false;
  expect(await edit()).toEqual({ before: '', after: '+' });
  expect(state.overrides).toBe('+');
});

test('an edit that changes nothing writes nothing', async () => {
  const { state, edit } = await configMap('a');
  expect(await edit(false, (before) => before)).toEqual({ before: 'a', after: 'a' });
  expect(state.writes).toBe(0);
});

test('what the edit throws is thrown as it is', async () => {
  const { edit } = await configMap('a');
  const fault = new ConfigError('no such tool');
  const failing = edit(false, () => {
    throw fault;
  });
  await expect(failing).rejects.toBe(fault);
});

test('a refusal says what was to be changed and what to do, and who stops it gets nothing else', async () => {
  const { state, edit } = await configMap('a');
  state.refused = 403;
  await expect(edit()).rejects.toThrow(
    /^cannot change overrides.yaml in ConfigMap kubernaut-system\/kubernaut-toolset-config: .*; grant it/,
  );
  const reason = new Error('stopped');
  await expect(edit(false, undefined, AbortSignal.abort(reason))).rejects.toBe(reason);
});

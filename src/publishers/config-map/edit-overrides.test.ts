import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { json, kubeServer, refuse } from '../../../test/fixtures/unit/kube-server.ts';
import { editOverrides } from './edit-overrides.ts';

const TARGET = { namespace: 'kubernaut-system', name: 'kubernaut-toolset-config' };
const { signal } = new AbortController();

/** A ConfigMap. @param between what others write just before each of our writes, as long as there is some */
async function configMap(first: string | undefined, between: string[] = []) {
  const state = { version: 1, overrides: first, managers: ['helm'], writes: 0 };
  const { kube } = await kubeServer(async (response, { query }, request) => {
    const live = () => ({
      metadata: {
        resourceVersion: String(state.version),
        managedFields: state.managers.map((manager) => ({ manager })),
      },
      data: { 'toolset.json': '{}', 'overrides.yaml': state.overrides },
    });
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
  const edit = (dryRun = false) => editOverrides(kube, TARGET, (before) => `${before}+`, dryRun, signal);
  return { state, edit };
}

test('it is written, and nobody owns it afterwards', async () => {
  const { state, edit } = await configMap('a');
  expect(await edit()).toEqual({ before: 'a', after: 'a+' });
  expect(state).toMatchObject({ overrides: 'a+', managers: ['helm'], writes: 1 });
});

test('what others write in between is kept: the change is made to that', async () => {
  const { state, edit } = await configMap('a', ['b', 'c']);
  expect(await edit()).toEqual({ before: 'c', after: 'c+' });
  expect(state.overrides).toBe('c+');
});

test('who writes all the time is told of, and nothing is written', async () => {
  const { state, edit } = await configMap('a', Array(50).fill('b'));
  await expect(edit()).rejects.toThrow(/changed by others in each of 6 attempts/);
  expect(state.writes).toBe(0);
});

test('a dry run writes nothing', async () => {
  const { state, edit } = await configMap('a');
  expect(await edit(true)).toEqual({ before: 'a', after: 'a+' });
  expect(state).toMatchObject({ overrides: 'a', writes: 0 });
});

test('without a ConfigMap it says what to do', async () => {
  const { edit } = await configMap(undefined);
  await expect(edit()).rejects.toThrow(/does not exist; serve creates it/);
});

import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { json, kubeServer, refuse } from '../../../../test/fixtures/unit/kube-server.ts';
import { restarter } from './reload.ts';

const { signal } = new AbortController();
const now = new Date('2026-01-02T03:04:05.678Z');

/** A Deployment whose Pods were started for a state of the file. */
async function deployment(started: string | undefined) {
  const patches: unknown[] = [];
  const state = { conflicts: 0, paused: false };
  const { kube } = await kubeServer(async (response, _, request) => {
    const annotations = started === undefined ? {} : { 'kubernaut.io/toolset-hash': started };
    if (request.method === 'GET')
      return json(response, {
        metadata: { resourceVersion: '7' },
        spec: { paused: state.paused, template: { metadata: { annotations } } },
      });
    const body = JSON.parse(await text(request));
    if (state.conflicts-- > 0) return refuse(response, 409, 'Conflict');
    patches.push(body);
    json(response, {});
  });
  return { patches, state, reloader: restarter(kube, { namespace: 'ns', name: 'holmes' }) };
}

test('Pods are replaced for the state that was read, with its token', async () => {
  const { patches, reloader } = await deployment('old');
  expect(await reloader.reload('new', { forced: false, now }, signal)).toBe(true);
  expect(patches).toEqual([
    {
      metadata: { resourceVersion: '7' },
      spec: {
        template: {
          metadata: {
            annotations: {
              'kubectl.kubernetes.io/restartedAt': '2026-01-02T03:04:05Z',
              'kubernaut.io/toolset-hash': 'new',
            },
          },
        },
      },
    },
  ]);
});

test('Pods that were started for this state are left alone, unless forced', async () => {
  const { patches, reloader } = await deployment('new');
  expect(await reloader.reload('new', { forced: false, now }, signal)).toBe(false);
  expect(patches).toEqual([]);
  expect(await reloader.reload('new', { forced: true, now }, signal)).toBe(true);
});

test('conflicts are retried a few times', async () => {
  const { patches, state, reloader } = await deployment('old');
  state.conflicts = 3;
  expect(await reloader.reload('new', { forced: false, now }, signal)).toBe(true);
  expect(patches).toHaveLength(1);
  state.conflicts = 100;
  await expect(reloader.reload('newer', { forced: false, now }, signal)).rejects.toThrow(/cannot restart/);
});

test('a paused rollout is reported, with what to do', async () => {
  const { state, reloader } = await deployment('old');
  state.paused = true;
  await expect(reloader.reload('new', { forced: false, now }, signal)).rejects.toThrow(
    /kubectl rollout resume/,
  );
});

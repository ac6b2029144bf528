import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { json, kubeServer } from '../../test/fixtures/unit/kube-server.ts';
import type { EngineEvent } from '../controller/events.ts';
import type { Configuration } from './configuration.ts';
import { publishToCluster } from './publishing.ts';

const published = {
  kind: 'published',
  cycle: 1,
  target: 'it',
  plan: { action: 'create', changes: [], annotations: {}, labels: {} },
} as unknown as EngineEvent;

/** A place to publish to in a cluster that takes so long to take an Event, and the program's own end. */
async function place(milliseconds: number) {
  const written: string[] = [];
  const { kube } = await kubeServer(async (response, { path }) => {
    await sleep(milliseconds);
    if (response.destroyed) return;
    written.push(path);
    json(response, {}, 201);
  });
  const ending = new AbortController();
  const settings = {
    configMapName: 'toolset',
    configMapNamespace: 'ns',
    revisionHistoryLimit: 10,
  } as unknown as Configuration;
  return {
    written,
    ending,
    publishing: publishToCluster(kube, settings, {
      env: { POD_NAME: 'pod' },
      log: {} as never,
      force: false,
    }),
  };
}

test('an Event that was recorded before the end is still written', async () => {
  const { written, ending, publishing } = await place(100);
  publishing.onEvent?.(published);
  ending.abort();
  await publishing.flush();
  expect(written).toEqual(['/apis/events.k8s.io/v1/namespaces/ns/events']);
});

test('a server that does not respond does not block the shutdown', async () => {
  const { written, publishing } = await place(60_000);
  publishing.onEvent?.(published);
  await publishing.flush();
  expect(written).toEqual([]);
});

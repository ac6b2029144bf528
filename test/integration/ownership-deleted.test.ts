import { expect, test } from 'vitest';
import { connect } from '../../src/kubernetes/connection.ts';
import { plan } from '../../src/planning/plan.ts';
import { configMapPublisher } from '../../src/publishers/config-map/config-map-publisher.ts';
import { PublishConflict } from '../../src/publishers/publisher.ts';
import { toolset } from '../fixtures/unit/toolset.ts';
import { CONFIG_MAP, setting } from './setting.ts';

const intent = (text: string) => toolset({ 'toolset.json': text, 'custom_toolset.yaml': text });

test('a plan to update never creates a ConfigMap that was deleted meanwhile, which would lack overrides', async () => {
  const { cluster, target, path, kubeconfig } = await setting();
  const kube = connect({ kubeconfig, origin: 'of the test', context: undefined });
  const publisher = configMapPublisher(kube, { namespace: target, name: CONFIG_MAP });
  const { signal } = new AbortController();
  await publisher.apply(plan(intent('1'), await publisher.read(signal), 'test'), new Date(), signal);
  const live = await publisher.read(signal);
  await cluster.admin.delete(path);
  const applied = publisher.apply(plan(intent('2'), live, 'test'), new Date(), signal);
  await expect(applied).rejects.toThrow(PublishConflict);
  expect((await cluster.admin.request('GET', path)).status).toBe(404);
});

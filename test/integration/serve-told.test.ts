import { expect, test } from 'vitest';
import { waitUntil } from '../cluster/cluster.ts';
import { startBackend } from './backend.ts';
import { startServe } from './serve-process.ts';
import { setting } from './setting.ts';

interface StoredEvent {
  readonly reason: string;
  readonly type: string;
  readonly note: string;
  readonly regarding: { readonly name: string; readonly uid?: string };
}

test('changes of the ConfigMap are reported in Events about it and in metrics, without secrets', async () => {
  const backend = await startBackend();
  const { cluster, target, env, prometheus, read, path, writeOverrides } = await setting({
    backendPort: backend.port,
  });
  const { admin } = cluster;
  await prometheus();
  const serve = startServe({ ...env, METRICS_ADDRESS: '127.0.0.1:0', METRICS_AUTH_ENABLED: 'false' });
  const { port } = await serve.logged('metrics are served');
  await serve.logged('toolset published');

  const edited = `${(await read()).data['custom_toolset.yaml']}# api_key: hunter2hunter2\nextra: { password: hunter2hunter2 }\n`;
  await admin.patch(path, { data: { 'custom_toolset.yaml': edited } });
  await serve.logged('somebody changed generated content');
  await writeOverrides('tools: [');
  await serve.logged('overrides.yaml cannot be used');
  await writeOverrides('# fine again\n');
  await serve.logged('overrides.yaml is valid again');
  await admin.delete(path);
  await serve.logged('recreated');

  const events = await waitUntil('all of it is told in Events', async () => {
    const { items } = await admin.get<{ readonly items: StoredEvent[] }>(
      `/apis/events.k8s.io/v1/namespaces/${target}/events`,
    );
    return items.some(({ reason }) => reason === 'Recreated') && items;
  });
  const of = (reason: string): StoredEvent | undefined => events.find((event) => event.reason === reason);
  for (const reason of ['Published', 'DriftReverted', 'OverridesInvalid', 'OverridesMended', 'Recreated'])
    expect(of(reason)?.regarding, reason).toMatchObject({
      name: 'kubernaut-toolset-config',
      uid: expect.any(String),
    });
  expect(of('DriftReverted')).toMatchObject({ type: 'Warning', note: expect.stringContaining('***1') });
  expect(of('OverridesInvalid')?.note).toMatch(/line 1, column \d+/);
  expect(JSON.stringify([events, serve.lines])).not.toContain('hunter2');

  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  for (const line of [
    'configmap_drift_detected_total{kind="custom_toolset.yaml"} 1',
    'configmap_drift_detected_total{kind="deleted"} 1',
    'override_errors_total 1',
    'services_healthy{type="prometheus"} 1',
  ])
    expect(metrics.split('\n')).toContain(`dynamic_toolset_${line}`);
  expect((await read()).data['overrides.yaml']).toBe('# fine again\n');
  expect(await serve.stop()).toBe(0);
});

import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { waitUntil } from '../cluster/cluster.ts';
import { installed } from '../detectors/real-process.ts';
import { startBackend } from './backend.ts';
import { startServe } from './serve-process.ts';
import { setting } from './setting.ts';

const promtool = installed('promtool');
const judged = promtool === undefined ? ' (not by promtool: it is missing, apt-get install prometheus)' : '';

test(`successes and failures are visible in a scrape, which promtool accepts${judged}`, async () => {
  const backend = await startBackend();
  const { cluster, env, watched, prometheus, path, writeOverrides } = await setting({
    backendPort: backend.port,
  });
  const denied = await cluster.namespace('denied');
  await prometheus();
  await cluster.service(watched, {
    name: 'down',
    labels: { 'app.kubernetes.io/name': 'elasticsearch' },
    ports: [{ port: 9200, name: 'http' }],
  });
  const serve = startServe({
    ...env,
    NAMESPACES: `${watched},${denied}`,
    METRICS_ADDRESS: '127.0.0.1:0',
    METRICS_AUTH_ENABLED: 'false',
  });
  const { port } = await serve.logged('metrics are served');
  await serve.logged('toolset published');
  await cluster.service(watched, {
    name: 'loki',
    labels: { 'app.kubernetes.io/name': 'loki' },
    ports: [{ port: 3100, name: 'http-metrics' }],
  });
  await writeOverrides('tools: { nothing.here: { description: x } }');
  await serve.logged('matches no backend that is known now');
  await writeOverrides('tools: [');
  await serve.logged('overrides.yaml cannot be used');
  await writeOverrides(null);
  await cluster.admin.patch(path, { data: { 'toolset.json': '{}' } });
  await serve.logged('somebody changed generated content');

  const scrape = async (): Promise<string> => await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const expected = [
    /^build_info\{version="[\d.]+"\} 1$/m,
    new RegExp(`^services_discovered_total\\{type="prometheus",namespace="${watched}"\\} 1$`, 'm'),
    /^services_healthy\{type="prometheus"\} 1$/m,
    /^services_unhealthy\{type="elasticsearch"\} 1$/m,
    /^discovery_duration_seconds_count [1-9]/m,
    /^detector_duration_seconds_count [1-9]/m,
    /^health_check_failures_total\{type="elasticsearch",reason="connection"\} [1-9]/m,
    /^health_check_duration_seconds_count\{type="prometheus"\} [1-9]/m,
    /^probe_inflight 0$/m,
    /^namespaces_denied 1$/m,
    /^watch_events_total\{kind="upsert"\} [1-9]/m,
    /^watch_restarts_total\{reason="ended"\} [1-9]/m,
    /^configmap_updates_total\{result="success"\} [1-9]/m,
    /^configmap_reconcile_duration_seconds_count [1-9]/m,
    /^change_to_publish_seconds_count [1-9]/m,
    /^configmap_drift_detected_total\{kind="toolset.json"\} [1-9]/m,
    /^generations_total\{document="toolset.json",result="success"\} [1-9]/m,
    /^generations_total\{document="toolset.json",result="failure"\} [1-9]/m,
    /^tools_count\{type="prometheus"\} 1$/m,
    /^override_errors_total 1$/m,
    /^override_conflicts_total 1$/m,
    /^revision [1-9]/m,
    /^leader 1$/m,
    /^last_success_timestamp_seconds\{stage="reconciliation"\} [1-9]/m,
  ];
  let text = '';
  await waitUntil('all of it is in a scrape', async () => {
    text = await scrape();
    return expected.every((line) => line.test(text.replaceAll('dynamic_toolset_', '')));
  }).catch(() => {
    const plain = text.replaceAll('dynamic_toolset_', '');
    expect(
      expected.filter((line) => !line.test(plain)),
      plain,
    ).toEqual([]);
  });
  if (promtool !== undefined) {
    const { status, stderr, stdout } = spawnSync(promtool, ['check', 'metrics'], {
      input: text,
      encoding: 'utf8',
    });
    // It may be called as the first release called it.
    const said = (stderr + stdout).split('\n').filter((line) => !/^$|tools_count/.test(line));
    expect({ status, said }).toEqual({ status: expect.any(Number), said: [] });
  }
  expect(await serve.stop()).toBe(0);
});

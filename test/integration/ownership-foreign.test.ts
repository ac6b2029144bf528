import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { waitUntil } from '../cluster/cluster.ts';
import { startServe } from './serve-process.ts';
import { CONFIG_MAP, SELDOM, setting, toolNames } from './setting.ts';

const configMap = (
  rest: Readonly<Record<string, unknown>>,
  labels: Readonly<Record<string, string>> = {},
) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: CONFIG_MAP, labels },
  ...rest,
});

describe('a ConfigMap that serve finds', () => {
  test.for<{ what: string; object: ReturnType<typeof configMap>; says: RegExp; forced: boolean }>([
    {
      what: 'with documents of somebody else',
      object: configMap({ data: { 'toolset.json': '{}', 'overrides.yaml': 'tools: {}\n' } }),
      says: /left as it is: it has toolset\.json that somebody else wrote; .*overrides\.yaml.*--configmap-name.*--force/,
      forced: true,
    },
    {
      what: 'managed by Helm',
      object: configMap({ data: { mine: '1' } }, { 'app.kubernetes.io/managed-by': 'Helm' }),
      says: /left as it is: it is managed by Helm and was never ours; .*--configmap-name.*--force/,
      forced: true,
    },
    {
      what: 'that is immutable',
      object: configMap({ data: { mine: '1' }, immutable: true }),
      says: /left as it is: it is immutable, .*delete it, or choose another with --configmap-name/,
      forced: false,
    },
  ])('$what: refused and untouched, and what --force does', async ({ object, says, forced }) => {
    const { cluster, watched, target, path, env, read, still, prometheus, loki } = await setting();
    await prometheus();
    const before = await cluster.admin.create(`/api/v1/namespaces/${target}/configmaps`, object);
    const serve = startServe({ ...env, ...SELDOM });
    const line = await serve.logged('the toolset was not published');
    expect(line.level).toBe('error');
    expect(line.message).toContain(`ConfigMap ${target}/${CONFIG_MAP}`);
    expect(line.message).toMatch(says);
    expect(line).not.toHaveProperty('stacktrace');
    await loki();
    await waitUntil('it saw that', () => serve.lines.some(({ service_name }) => service_name === 'loki'));
    await sleep(300);
    expect(await cluster.admin.get(path)).toEqual(before);
    expect(serve.process.exitCode).toBeNull();
    expect(await serve.stop()).toBe(0);

    const bold = startServe({ ...env, ...SELDOM }, ['--force']);
    if (!forced) {
      expect((await bold.logged('the toolset was not published')).message).toMatch(says);
      expect(await cluster.admin.get(path)).toEqual(before);
      return;
    }
    await bold.logged('toolset published');
    const now = await still();
    expect(toolNames(now)).toEqual([`loki.${watched}`, `prometheus.${watched}`]);
    const { 'toolset.json': _, ...theirs } = (object as { data?: Record<string, string> }).data ?? {};
    expect(now.data).toMatchObject(theirs);
    await bold.stop();

    // From then on it is ours, without force too.
    const meek = startServe({ ...env, ...SELDOM });
    await cluster.admin.delete(`/api/v1/namespaces/${watched}/services/loki`);
    await waitUntil('Loki is none', async () => toolNames(await read()).join() === `prometheus.${watched}`);
    expect(meek.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('with only keys of operators: adopted', async () => {
    const { cluster, watched, target, env, still, prometheus, loki } = await setting();
    await prometheus();
    await loki();
    const theirs = {
      'overrides.yaml': `tools:\n  loki.${watched}: { enabled: false }\r\n`,
      'notes.txt': ' mine\r\n',
    };
    const before = await cluster.admin.create(
      `/api/v1/namespaces/${target}/configmaps`,
      configMap({ data: theirs }, { team: 'sre' }),
    );
    const serve = startServe({ ...env, ...SELDOM });
    await serve.logged('toolset published');
    const now = await still();
    expect(now.metadata.uid).toBe(before.metadata.uid);
    expect(now.data).toMatchObject(theirs);
    expect(now.metadata.labels).toMatchObject({
      team: 'sre',
      'app.kubernetes.io/managed-by': 'dynamic-toolset',
    });
    expect(toolNames(now)).toEqual([`prometheus.${watched}`]);
  });
});

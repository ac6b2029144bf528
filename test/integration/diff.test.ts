import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { expect, inject, test } from 'vitest';
import { testCluster, waitUntil } from '../cluster/cluster.ts';
import { PUBLISHING } from './rights.ts';
import { startServe } from './serve-process.ts';
import { setting, toolNames } from './setting.ts';

/** Runs the command line with nothing of this process' environment but what is given. */
async function run(env: Readonly<Record<string, string>>, ...args: string[]) {
  const child = spawn(process.execPath, [inject('program'), ...args], {
    env: { PATH: process.env.PATH ?? '', HOME: '/nonexistent', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await ended, stdout, stderr };
}

test('diff prints what serve would change, exits with 1 if there is a difference, and changes nothing', async () => {
  const cluster = testCluster();
  const watched = await cluster.namespace('watched');
  const target = await cluster.namespace('target');
  const account = await cluster.serviceAccount({
    namespace: target,
    rulesIn: {
      [watched]: [{ apiGroups: [''], resources: ['services'], verbs: ['list'] }],
      [target]: PUBLISHING,
    },
  });
  const env = {
    KUBECONFIG: await cluster.kubeconfig(account),
    NAMESPACES: watched,
    CONFIGMAP_NAMESPACE: target,
    PROBE: 'none',
  };
  const service = (name: string) =>
    cluster.service(watched, { name, labels: { app: name }, ports: [{ port: 3100, name: 'http' }] });
  await service('loki');

  const before = await run(env, 'diff');
  expect(before.code).toBe(1);
  expect(before.stdout).toContain(`+      "name": "loki.${watched}"`);
  await expect(
    cluster.admin.get(`/api/v1/namespaces/${target}/configmaps/kubernaut-toolset-config`),
  ).rejects.toThrow(/not found/);

  expect((await run(env, 'serve', '--once')).code).toBe(0);
  const same = await run(env, 'diff');
  expect(same).toMatchObject({ code: 0, stdout: '' });
  expect(same.stderr).toContain('is up to date');

  const path = `/api/v1/namespaces/${target}/configmaps/kubernaut-toolset-config`;
  await cluster.admin.patch(path, { data: { 'overrides.yaml': 'toolz: {}' } });
  const refused = await run(env, 'diff', '-q');
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toMatch(/^error: overrides\.yaml of .* cannot be used: line 1.*toolz/);
  // The history has the valid overrides that serve uses meanwhile.
  expect((await run(env, 'diff')).stderr).not.toContain('no earlier, valid version');
  const once = await run(env, 'serve', '--once');
  expect(once.code).toBe(1);
  expect(once.stderr.trimEnd().split('\n').at(-1)).toMatch(
    /^error: overrides\.yaml of .* cannot be used: line 1.*toolz/,
  );
  await cluster.admin.patch(path, { data: { 'overrides.yaml': null } });

  await cluster.admin.delete(`/api/v1/namespaces/${watched}/services/loki`);
  const after = await run(env, 'diff');
  expect(after.code).toBe(1);
  expect(after.stdout).toContain(`-      "name": "loki.${watched}"`);
});

test('diff keeps what serve holds, and says until when and how to remove it now', async () => {
  const { env: base, prometheus, loki, removeService, read } = await setting();
  const env = { ...base, PROBE: 'none' };
  await prometheus();
  await loki();
  const serve = startServe(env);
  await waitUntil(
    'both are published',
    async () => toolNames(await read().catch(() => ({ data: {} }))).length === 2,
  );
  await Promise.all(['prometheus', 'loki'].map(removeService));
  await serve.logged('gone, unusable or beyond a limit');
  await waitUntil(
    'the hold is published',
    async () => (await read()).metadata.annotations['kubernaut.io/removal-held'] !== undefined,
  );
  const { code, stdout, stderr } = await run(env, 'diff');
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  expect(stderr).toMatch(
    /2 tools are gone, .* and published until \S+Z: .*; to remove what is gone now, set its annotation kubernaut.io\/allow-removal/,
  );
});

test('diff searches the namespaces that serve searched, unless others are given, and says so', async () => {
  const cluster = testCluster();
  const [shop, target] = [await cluster.namespace('shop'), await cluster.namespace('target')];
  const account = await cluster.serviceAccount({
    namespace: target,
    rulesIn: {
      [shop]: [{ apiGroups: [''], resources: ['services'], verbs: ['list'] }],
      [target]: [...PUBLISHING, { apiGroups: [''], resources: ['services'], verbs: ['list'] }],
    },
  });
  const env = { KUBECONFIG: await cluster.kubeconfig(account), CONFIGMAP_NAMESPACE: target, PROBE: 'none' };
  await cluster.service(shop, {
    name: 'loki',
    labels: { app: 'loki' },
    ports: [{ port: 3100, name: 'http' }],
  });
  expect((await run({ ...env, NAMESPACES: shop }, 'serve', '--once')).code).toBe(0);

  const same = await run(env, 'diff');
  expect(same).toMatchObject({ code: 0, stdout: '' });
  expect(same.stderr).toContain(`note: searching the namespaces that serve searched: ${shop}`);
  const other = await run(env, 'diff', '-n', target);
  expect(other.code).toBe(1);
  expect(other.stderr).toContain(`serve searched ${shop}, and this command searches ${target}`);
  expect((await run({ ...env, NAMESPACES: shop }, 'diff')).stderr).not.toContain('search');
});

test('explain shows the backend of a Service, also if a newer Service belongs to several backends in use', async () => {
  const { cluster, watched, env } = await setting();
  const settings = { ...env, PROBE: 'none' };
  const service = (name: string) =>
    cluster.service(watched, {
      name,
      labels: { app: 'loki', release: 'a' },
      ports: [{ port: 3100, name: 'http' }],
    });
  await service('loki');
  await service('loki-main');
  expect((await run(settings, 'serve', '--once')).code).toBe(0);
  await service('loki-gateway');
  const { stdout } = await run(settings, 'explain', `${watched}/loki-main`);
  expect(stdout).toContain(`endpoint           http://loki-main.${watched}.svc.cluster.local:3100`);
  expect(stdout).toContain(`in the documents as the tool loki-main.${watched}`);
  expect(stdout).not.toContain('leads to the same backend');
});

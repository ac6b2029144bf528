import pLimit from 'p-limit';
import { describe, expect, test } from 'vitest';
import { waitUntil } from '../cluster/cluster.ts';
import { command } from './command.ts';
import { type Serve, startServe } from './serve-process.ts';
import { CONFIG_MAP, type ConfigMap, SELDOM, type Setting, setting, toolNames } from './setting.ts';

const KIB = 1024;
const LIMITS = {
  ...SELDOM,
  MAX_SHARDS: '4',
  MAX_BACKENDS: '10000',
  MAX_NAMESPACE_SERVICES: '10000',
  MAX_TOOLS_PER_NAMESPACE: '10000',
};

/** Services of so many Lokis of their own. */
async function many({ cluster, watched }: Setting, from: number, count: number): Promise<void> {
  const limit = pLimit(16);
  const one = (number: number): Promise<unknown> => {
    const name = `loki-of-a-team-with-a-long-name-${String(number).padStart(4, '0')}`;
    return cluster.service(watched, {
      name,
      labels: { 'app.kubernetes.io/name': 'loki', 'app.kubernetes.io/instance': name },
      selector: { app: name },
      ports: [{ port: 3100, name: 'http-metrics' }],
      headless: true,
    });
  };
  await Promise.all(Array.from({ length: count }, (_, index) => limit(() => one(from + index))));
}

/** The ConfigMap, and those with other parts of its documents, by name. */
async function readAll({ cluster, target }: Setting): Promise<Map<string, ConfigMap>> {
  const { items } = await cluster.admin.get<{
    readonly items: (ConfigMap & { readonly metadata: { readonly name: string } })[];
  }>(`/api/v1/namespaces/${target}/configmaps?labelSelector=app.kubernetes.io/component=toolset-config`);
  return new Map(items.map((item) => [item.metadata.name, item]));
}

const namesIn = (all: ReadonlyMap<string, ConfigMap>): string[] =>
  [...all.values()].flatMap(toolNames).sort();

/** Waits until so many tools are in so many ConfigMaps. */
async function published(
  given: Setting,
  tools: number,
  shards: number,
  { lines }: Serve,
): Promise<Map<string, ConfigMap>> {
  let seen = '';
  const check = async () => {
    const all = await readAll(given);
    const names = new Set(namesIn(all));
    seen = `${names.size} are in ${all.size}`;
    // The first one is written last where the others grow.
    const counted = all.get(CONFIG_MAP)?.metadata.annotations['kubernaut.io/discovered-services'];
    return all.size === shards && names.size === tools && counted === String(tools) && all;
  };
  return waitUntil(`${tools} tools are in ${shards} ConfigMaps`, check, {
    limitMs: 90_000,
    everyMs: 250,
  }).catch((error: Error) => {
    const log = lines.map((line) => JSON.stringify(line).slice(0, 500)).join('\n');
    throw new Error(`${error.message}; ${seen}\n${log}`);
  });
}

const versions = (all: ReadonlyMap<string, ConfigMap>): Map<string, string> =>
  new Map([...all].map(([name, { metadata }]) => [name, metadata.resourceVersion]));

const failures = ({ lines }: Serve): unknown[] => lines.filter(({ level }) => level === 'error');

const reverted = ({ lines }: Serve, part: string): Promise<boolean> =>
  waitUntil(
    `a change of ${part} is reverted`,
    () => lines.some(({ drift_keys }) => Array.isArray(drift_keys) && drift_keys.join() === part),
    { limitMs: 90_000 },
  );

test('3,400 tools are in several ConfigMaps; each is repaired, written for its own change, removed, and comes back with a rollback', {
  timeout: 300_000,
}, async () => {
  const given = await setting({ shards: true });
  const { cluster, target, watched, revisions } = given;
  const path = (name: string): string => `/api/v1/namespaces/${target}/configmaps/${name}`;
  await many(given, 0, 3_400);
  const env = { ...given.env, ...LIMITS };
  const serve = startServe(env);
  const first = await published(given, 3_400, 3, serve);

  // Each tool is in one of them, and each is a complete document of a size that Kubernetes takes.
  expect(namesIn(first)).toHaveLength(3_400);
  for (const { data } of first.values())
    expect(Object.values(data).reduce((sum, text) => sum + text.length, 0)).toBeLessThanOrEqual(900 * KIB);
  expect(first.get(CONFIG_MAP)?.metadata.annotations).toMatchObject({
    'kubernaut.io/shards': '3',
    'kubernaut.io/discovered-services': '3400',
  });
  expect(Object.keys(first.get(`${CONFIG_MAP}-2`)?.data ?? {})).toEqual(['toolset.json']);
  expect(first.get(`${CONFIG_MAP}-2`)?.metadata.labels).toMatchObject({
    'kubernaut.io/shard': '2',
    'kubernaut.io/configmap': CONFIG_MAP,
  });

  // One that is deleted or edited comes back.
  await waitUntil('it is in the history', async () => (await revisions()).length === 1);
  await cluster.admin.delete(path(`${CONFIG_MAP}-2`));
  await reverted(serve, 'toolset.json#2');
  expect((await published(given, 3_400, 3, serve)).get(`${CONFIG_MAP}-2`)?.data).toEqual(
    first.get(`${CONFIG_MAP}-2`)?.data,
  );
  await cluster.admin.patch(path(`${CONFIG_MAP}-3`), { data: { 'toolset.json': '{"tools":[]}\n' } });
  await reverted(serve, 'toolset.json#3');
  const repaired = await published(given, 3_400, 3, serve);

  // A new tool changes the last one, and the annotations of the first.
  await many(given, 3_400, 1);
  const more = await published(given, 3_401, 3, serve);
  const before = versions(repaired);
  const changed = [...versions(more)].filter(([name, version]) => before.get(name) !== version);
  expect(changed.map(([name]) => name).sort()).toEqual([CONFIG_MAP, `${CONFIG_MAP}-3`]);
  expect(more.get(CONFIG_MAP)?.data).toEqual(repaired.get(CONFIG_MAP)?.data);
  expect((await command(env, 'diff')).code).toBe(0);
  await waitUntil('it is in the history', async () => (await revisions()).length === 2);
  expect(failures(serve)).toEqual([]);
  expect(await serve.stop()).toBe(0);

  // Fewer tools: what is not needed goes.
  const fewer = startServe({ ...env, MAX_TOOLS_PER_NAMESPACE: '500' }, ['--force']);
  const small = await published(given, 500, 1, fewer);
  expect(small.get(CONFIG_MAP)?.metadata.annotations).not.toHaveProperty('kubernaut.io/shards');
  await waitUntil('it is in the history', async () => (await revisions()).length === 3);

  // A rollback restores all of it, and a running serve keeps it.
  const history = await command(env, 'history', '-o', 'json');
  expect(JSON.parse(history.stdout)).toMatchObject({
    revisions: [
      { revision: 1, tools: 3_400 },
      {
        revision: 2,
        tools: 3_401,
        changes: expect.stringMatching(/^\+loki-of-a-team-with-a-long-name-3400/),
      },
      { revision: 3, tools: 500, current: true },
    ],
  });
  const back = await command(env, 'rollback', '--to', '1');
  expect(back.stderr).toContain('is back at revision 1');
  const restored = await published(given, 3_400, 3, fewer);
  expect(restored.get(CONFIG_MAP)?.data['toolset.json']).toBe(first.get(CONFIG_MAP)?.data['toolset.json']);
  expect(restored.get(`${CONFIG_MAP}-3`)?.data).toEqual(first.get(`${CONFIG_MAP}-3`)?.data);
  await fewer.logged('holds until the inputs change');
  expect(namesIn(await readAll(given))).toHaveLength(3_400);
  expect(namesIn(restored)[0]).toBe(`loki-of-a-team-with-a-long-name-0000.${watched}`);
  expect(failures(fewer)).toEqual([]);
  expect(await fewer.stop()).toBe(0);
});

describe('tools are left out as with one ConfigMap, and one line says what to do', {
  timeout: 120_000,
}, () => {
  const env = (given: Setting) => ({ ...given.env, ...LIMITS, MAX_DOCUMENT_KIB: '32' });

  test('without permission for the others', async () => {
    const given = await setting();
    await many(given, 0, 100);
    const serve = startServe(env(given));
    const line = await serve.logged(`may not read ConfigMap ${given.target}/${CONFIG_MAP}-2`);
    expect(line).toMatchObject({ level: 'warn', message: expect.stringContaining('grant get, list, watch') });
    const all = await waitUntil('it is published', async () => {
      const found = await readAll(given);
      return found.size > 0 && found;
    });
    expect([...all.keys()]).toEqual([CONFIG_MAP]);
    expect(namesIn(all).length).toBeGreaterThan(10);
    await waitUntil('it is in the history', async () => (await given.revisions()).length === 1);
    await serve.stop();
    expect(failures(serve)).toEqual([]);
    expect(serve.lines.filter(({ message }) => message.includes('may not read'))).toHaveLength(1);
  });

  test('if others have the name of one', async () => {
    const given = await setting({ shards: true });
    const { cluster, target } = given;
    await many(given, 0, 140);
    const name = `${CONFIG_MAP}-2`;
    const theirs = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { a: 'b' } };
    await cluster.admin.create(`/api/v1/namespaces/${target}/configmaps`, theirs);
    const serve = startServe(env(given));
    const line = await serve.logged(`ConfigMap ${target}/${name} was made by others`);
    expect(line).toMatchObject({ level: 'warn', message: expect.stringContaining('--force') });
    await waitUntil('it is published', async () => (await readAll(given)).size === 1);
    expect(await cluster.admin.get(`/api/v1/namespaces/${target}/configmaps/${name}`)).toMatchObject({
      data: { a: 'b' },
      metadata: { name },
    });
    await serve.stop();

    // The commands that show what serve does agree with it.
    const inDiff = await command(env(given), 'diff');
    expect(inDiff).toMatchObject({ code: 0, stdout: '' });
    expect(inDiff.stderr).toContain(line.message);
    expect(inDiff.stderr).toContain('is up to date');
    const inDocuments = new Set(namesIn(await readAll(given)));
    const { items } = await cluster.admin.get<{
      readonly items: readonly { readonly metadata: { readonly name: string } }[];
    }>(`/api/v1/namespaces/${given.watched}/services`);
    const names = items.map(({ metadata }) => metadata.name);
    const isIn = (each: string): boolean => inDocuments.has(`${each}.${given.watched}`);
    const explained = (each: string | undefined) =>
      command(env(given), 'explain', `${given.watched}/${each}`);
    const left = await explained(names.find((each) => !isIn(each)));
    expect(left.stdout).toMatch(/not published: .* more than its share of the 32 KiB/);
    expect(left.stderr).toContain(line.message);
    const kept = await explained(names.find(isIn));
    expect(kept.stdout).toContain('in the documents as the tool');
    expect(kept.stderr).not.toContain('was made by others');

    const forced = startServe(env(given), ['--force']);
    await published(given, 140, 3, forced);
    expect(failures(forced)).toEqual([]);
    expect(await forced.stop()).toBe(0);
  });
});

test('an unneeded part keeps keys of others, and is used again', {
  timeout: 180_000,
}, async () => {
  const given = await setting({ shards: true });
  const { cluster, target } = given;
  const path = `/api/v1/namespaces/${target}/configmaps/${CONFIG_MAP}-2`;
  const env = { ...given.env, ...LIMITS, MAX_DOCUMENT_KIB: '32' };
  await many(given, 0, 140);
  const serve = startServe(env);
  await published(given, 140, 3, serve);
  await serve.stop();
  const note = { note: 'mine' };
  await cluster.admin.patch(path, { data: note, metadata: { labels: { team: 'sre' } } });
  const fewer = startServe({ ...env, MAX_TOOLS_PER_NAMESPACE: '10' }, ['--force']);
  await published(given, 10, 1, fewer);
  await fewer.logged('others wrote note into it');
  const kept = await cluster.admin.get<ConfigMap>(path);
  expect(kept.data).toEqual(note);
  expect(kept.metadata).toMatchObject({
    labels: { team: 'sre' },
    annotations: { 'kubernaut.io/former-shard': `${CONFIG_MAP}-2` },
  });
  expect(kept.metadata).not.toHaveProperty('ownerReferences');
  await fewer.stop();
  const again = startServe(env);
  const all = await published(given, 140, 3, again);
  expect(all.get(`${CONFIG_MAP}-2`)?.data).toMatchObject(note);
  expect(all.get(`${CONFIG_MAP}-2`)?.metadata.annotations).not.toHaveProperty('kubernaut.io/former-shard');
  expect([...failures(serve), ...failures(fewer), ...failures(again)]).toEqual([]);
  await again.stop();
});

test('after a right was missing for a while, all parts are used again without a restart', {
  timeout: 180_000,
}, async () => {
  const given = await setting({ shards: true });
  const { cluster, target } = given;
  await many(given, 0, 140);
  const serve = startServe({ ...given.env, ...LIMITS, MAX_DOCUMENT_KIB: '32', DISCOVERY_INTERVAL: '5s' });
  await published(given, 140, 3, serve);
  const roles = `/apis/rbac.authorization.k8s.io/v1/namespaces/${target}/roles`;
  interface Role {
    readonly metadata: { readonly name: string };
    readonly rules: readonly {
      readonly resourceNames?: readonly string[];
      readonly verbs: readonly string[];
    }[];
  }
  const [role] = (await cluster.admin.get<{ readonly items: readonly Role[] }>(roles)).items;
  if (role === undefined) throw new Error('the ServiceAccount has no role');
  const isOfShards = ({ resourceNames = [] }: Role['rules'][number]): boolean =>
    resourceNames.includes(`${CONFIG_MAP}-2`);
  const set = (rules: Role['rules']) => cluster.admin.patch(`${roles}/${role.metadata.name}`, { rules });
  await set(
    role.rules.map((rule) => (isOfShards(rule) ? { ...rule, verbs: ['get', 'list', 'watch'] } : rule)),
  );
  await many(given, 140, 1);
  await serve.logged('may not write ConfigMap');
  await set(role.rules);
  await published(given, 141, 3, serve);
  expect(failures(serve)).toEqual([]);
  await serve.stop();
});

import { describe, expect, test } from 'vitest';
import { waitUntil } from '../cluster/cluster.ts';
import { startServe } from './serve-process.ts';
import { CONFIG_MAP, type ConfigMap, SELDOM, type Setting, setting, toolNames } from './setting.ts';

const MINE = '# mine: keep it\r\ntools:\r\n  "ünïcode": { enabled: false }   \r\n\t\r\n\n\n';
const LATER = '# changed \ntools: {}\n';
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

const object = (overrides: string | undefined) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: CONFIG_MAP },
  data: overrides === undefined ? {} : { 'overrides.yaml': overrides },
});

/** Each way in which a person's tool writes the key, without force. @returns the HTTP status */
const WRITERS: Readonly<
  Record<
    string,
    (
      { cluster, path, read }: Pick<Setting, 'cluster' | 'path' | 'read'>,
      text: string | undefined,
    ) => Promise<number>
  >
> = {
  'kubectl apply --server-side': async ({ cluster, path }, text) =>
    (
      await cluster.admin.request(
        'PATCH',
        `${path}?fieldManager=kubectl`,
        object(text),
        'application/apply-patch+yaml',
      )
    ).status,
  'kubectl apply': async ({ cluster, path }, text) =>
    (
      await cluster.admin.request(
        'PATCH',
        `${path}?fieldManager=kubectl-client-side-apply`,
        {
          metadata: { annotations: { [LAST_APPLIED]: JSON.stringify(object(text)) } },
          data: { 'overrides.yaml': text ?? null },
        },
        'application/strategic-merge-patch+json',
      )
    ).status,
  'kubectl edit': async ({ cluster, path, read }, text) => {
    const live = await read();
    const { 'overrides.yaml': _, ...data } = live.data;
    const edited = { ...live, data: { ...data, ...(text === undefined ? {} : { 'overrides.yaml': text }) } };
    return (await cluster.admin.request('PUT', `${path}?fieldManager=kubectl-edit`, edited)).status;
  },
};

/** Field managers that have a key of the data. */
const ownersOf = ({ metadata }: ConfigMap, key: string): string[] =>
  metadata.managedFields
    .filter(({ fieldsV1 }) => fieldsV1['f:data']?.[`f:${key}`] !== undefined)
    .map(({ manager }) => manager);

describe.for(Object.entries(WRITERS))('overrides.yaml of a user with %s', ([, write]) => {
  test.for([
    { what: 'while serve runs', running: true },
    { what: 'while serve does not run and with its memory lost', running: false },
  ])(
    'is restored when the ConfigMap is deleted $what, and belongs only to that user',
    async ({ running }) => {
      const given = await setting();
      const { cluster, watched, path, env, read, still, revisions } = given;
      await given.prometheus();
      const first = startServe({ ...env, ...SELDOM });
      await first.logged('toolset published');
      expect(await write(given, MINE)).toBe(200);
      await waitUntil('it is remembered', async () =>
        (await revisions()).some(({ data }) => data['overrides.yaml'] === MINE),
      );
      const before = await still();

      if (!running) await first.stop('SIGKILL');
      await cluster.admin.delete(path);
      const serve = running ? first : startServe({ ...env, ...SELDOM });
      const line = await serve.logged('it was recreated, with the last known overrides.yaml');
      expect(line).toMatchObject({ level: 'warn', overrides_restored: true });
      const after = await still();
      expect(after.metadata.uid).not.toBe(before.metadata.uid);
      expect(after.data).toEqual(before.data);
      expect(ownersOf(after, 'overrides.yaml')).toEqual([]);
      expect(after.metadata.managedFields.map(({ manager }) => manager)).toEqual(['dynamic-toolset']);

      // Its owner writes it again without force, the same and another; serve continues and does not fight with the owner.
      expect(await write(given, MINE)).toBe(200);
      expect(await write(given, LATER)).toBe(200);
      await given.loki();
      await waitUntil('both are tools', async () => toolNames(await read()).length === 2);
      const settled = await still(1_000);
      expect(settled.data['overrides.yaml']).toBe(LATER);
      expect(ownersOf(settled, 'overrides.yaml')).not.toContain('dynamic-toolset');
      expect(ownersOf(settled, 'toolset.json')).toEqual(['dynamic-toolset']);

      expect(await write(given, undefined)).toBe(200);
      await given.removeService('loki');
      await waitUntil(
        'one is a tool',
        async () => toolNames(await read()).join() === `prometheus.${watched}`,
      );
      expect((await still(1_000)).data).not.toHaveProperty(['overrides.yaml']);
      expect(serve.lines.filter(({ level }) => level === 'error')).toEqual([]);
    },
  );
});

test('overrides that their owner removed are not restored with a recreated ConfigMap', async () => {
  const { cluster, path, env, read, still, prometheus, writeOverrides, revisions } = await setting();
  await prometheus();
  const serve = startServe({ ...env, ...SELDOM });
  await serve.logged('toolset published');
  await writeOverrides(MINE);
  await still();
  await writeOverrides(null);
  await waitUntil(
    'that is remembered',
    async () => (await revisions()).at(-1)?.data['overrides.yaml'] === undefined,
  );
  await cluster.admin.delete(path);
  await waitUntil('it is there again', read);
  expect((await still()).data).not.toHaveProperty(['overrides.yaml']);
});

test('overrides that are not UTF-8 switch nothing on, and come back with a deleted ConfigMap', async () => {
  const { cluster, watched, path, env, read, still, prometheus, writeOverrides, revisions } = await setting();
  await prometheus();
  const first = startServe({ ...env, ...SELDOM });
  await first.logged('toolset published');
  const text = `tools:\n  prometheus.${watched}: { enabled: false } # für uns\n`;
  await writeOverrides(text);
  await waitUntil('it is off', async () => toolNames(await read()).length === 0);
  const bytes = Buffer.from(text, 'latin1').toString('base64');
  await cluster.admin.patch(path, {
    data: { 'overrides.yaml': null },
    binaryData: { 'overrides.yaml': bytes },
  });
  await first.logged('overrides.yaml cannot be used');
  const before = await still();
  expect(toolNames(before)).toEqual([]);
  expect(before.metadata.annotations['kubernaut.io/override-error']).toContain('save it as UTF-8');
  await waitUntil(
    'it is remembered',
    async () => (await revisions()).at(-1)?.data['overrides.yaml']?.startsWith('!!binary') === true,
  );

  await first.stop('SIGKILL');
  await cluster.admin.delete(path);
  const serve = startServe({ ...env, ...SELDOM });
  await serve.logged('it was recreated, with the last known overrides.yaml');
  const after = await still();
  expect(toolNames(after)).toEqual([]);
  expect(after.binaryData).toEqual({ 'overrides.yaml': bytes });
  expect(after.metadata.managedFields.map(({ manager }) => manager)).toEqual(['dynamic-toolset']);

  await cluster.admin.patch(path, {
    data: { 'overrides.yaml': text },
    binaryData: { 'overrides.yaml': null },
  });
  await serve.logged('overrides.yaml is valid again');
});

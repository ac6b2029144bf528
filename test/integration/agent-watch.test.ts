import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { waitUntil } from '../cluster/cluster.ts';
import { THEIRS, withHolmesGpt } from './holmesgpt-setting.ts';
import { startServe } from './serve-process.ts';
import type { ConfigMap } from './setting.ts';

const FILE = 'custom_toolset.yaml';
const PERSON = 'custom_toolset.person.yaml';
/** With this interval, no check at the interval notices anything during a test. */
const NEVER = '10m';

/** A `serve` that has written HolmesGPT's ConfigMap. `verbs` are its permissions on that. */
async function writing(verbs: readonly string[], interval = NEVER) {
  const given = await withHolmesGpt();
  const { cluster, target, env, permit, prometheus } = given;
  const { admin } = cluster;
  const path = `/api/v1/namespaces/${target}/configmaps/rel-toolsets`;
  await permit(verbs);
  await prometheus();
  const serve = startServe({ ...env, PROBE: 'none', DISCOVERY_INTERVAL: interval });
  const read = () => admin.get<ConfigMap>(path);
  await serve.logged('was restarted');
  // The watch begins after the first sync.
  await sleep(500);
  const text = (await read()).data[FILE] ?? '';
  return {
    admin,
    path,
    serve,
    read,
    text,
    /** Saves the file, as `kubectl edit` does. */
    save: (file: string | null) => admin.patch(path, { data: { [FILE]: file } }),
    /** Resolves when an edit has been merged. @returns after how many milliseconds */
    async merged(name: string): Promise<number> {
      const started = performance.now();
      await waitUntil(`${name} is merged`, async () => {
        const { data } = await read();
        return [PERSON, FILE].every((key) => data[key]?.includes(`${name}:`) === true);
      });
      return performance.now() - started;
    },
  };
}

const WATCHING = ['get', 'list', 'watch', 'patch'];
const withToolset = (text: string, name: string): string =>
  text.replace('\ntoolsets:\n', `\ntoolsets:\n  ${name}:\n    enabled: false\n`);

test('with rights by name, an edit is merged within seconds, and a deleted file and ConfigMap are noticed', async () => {
  const { text, save, merged, read, admin, path, serve } = await writing(WATCHING);
  await save(withToolset(text, 'bash'));
  expect(await merged('bash')).toBeLessThan(3_000);
  await save(null);
  await waitUntil('the file is back', async () => (await read()).data[FILE]?.includes('bash:') === true);

  // Other keys, and our own writes, cause no further write.
  const { metadata } = await admin.patch<ConfigMap>(path, { data: { 'model_list.yaml': 'x: 1\n' } });
  await sleep(1_000);
  expect((await read()).metadata.resourceVersion).toBe(metadata.resourceVersion);

  await admin.delete(path);
  await serve.logged('does not exist');
  await admin.create(path.replace('/rel-toolsets', ''), {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'rel-toolsets' },
    data: { [FILE]: THEIRS },
  });
  await waitUntil('it is written again', async () => (await read()).data[PERSON] === THEIRS);
  expect(parse((await read()).data[FILE] ?? '').toolsets).toHaveProperty(['prometheus/metrics']);
  expect(serve.lines.filter(({ message }) => message.includes('noticed only'))).toEqual([]);
});

test('a program that keeps restoring its own text is answered only a few times, which is logged once', async () => {
  const { read, save, serve, admin, path, merged } = await writing(WATCHING);
  let times = 0;
  const stop = new AbortController();
  const theirs = '# of another program\ntoolsets:\n  theirs:\n    enabled: false\n';
  const fighting = (async () => {
    while (!stop.signal.aborted) {
      if ((await read()).data[FILE] !== theirs) {
        await admin.patch(`${path}?fieldManager=stubborn`, { data: { [FILE]: theirs } });
        times += 1;
      }
      await sleep(20);
    }
  })();
  onTestFinished(async () => {
    stop.abort();
    await fighting;
  });
  await serve.logged('others write it so often');
  await sleep(2_000);
  expect(times).toBeLessThanOrEqual(5);
  expect(serve.lines.filter(({ message }) => message.includes('others write it so often'))).toHaveLength(1);
  stop.abort();
  await fighting;
  // The edit of a person is answered at once.
  await save(`${theirs}  mine:\n    enabled: false\n`);
  expect(await merged('mine')).toBeLessThan(3_000);
});

test('with the rights of an earlier release, edits are merged at the interval, and the log says once what to grant', async () => {
  const { text, save, merged, serve } = await writing(['get', 'patch'], '5s');
  await save(withToolset(text, 'bash'));
  await merged('bash');
  await sleep(6_000);
  const told = serve.lines.filter(({ message }) => message.includes('noticed only once per'));
  expect(told).toHaveLength(1);
  expect(told[0]).toMatchObject({
    level: 'warn',
    message: expect.stringMatching(/cannot list it.*forbidden.*get, list, watch and patch/),
  });
  expect(serve.lines.filter(({ level }) => level === 'error')).toEqual([]);
});

import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { waitUntil } from '../cluster/cluster.ts';
import { documentsOf, generated } from './inside.ts';
import { startServe } from './serve-process.ts';
import { type ConfigMap, SELDOM, type Setting, setting, toolNames } from './setting.ts';

const OTHER = { 'toolset.json': '{"tools":[]}\n' };

/** Writes the same content again as soon as it is not there any more. @returns how often it did */
function stubborn({ cluster, path, read }: Setting): () => number {
  let times = 0;
  const stop = new AbortController();
  const writing = (async () => {
    while (!stop.signal.aborted) {
      const live = await read();
      if (live.data['toolset.json'] !== OTHER['toolset.json']) {
        await cluster.admin.patch(`${path}?fieldManager=stubborn`, { data: OTHER });
        times += 1;
      }
      await sleep(20);
    }
  })();
  onTestFinished(async () => {
    stop.abort();
    await writing;
  });
  return () => times;
}

test('a program that keeps writing the same change is overruled only a few times, which is reported', async () => {
  const given = await setting();
  const { env, cluster, path, read, still, prometheus, writeOverrides } = given;
  await prometheus();
  const serve = startServe({ ...env, PROBE: 'none' });
  await serve.logged('toolset published');
  const times = stubborn(given);
  const line = await serve.logged('keeps making the same change');
  expect(line).toMatchObject({ level: 'error', drift_keys: ['toolset.json'] });
  expect(line.message).toMatch(/once a minute.*managedFields/);
  expect(line.retry_in).toBeGreaterThan(30);
  const fought = times();
  expect(fought).toBeLessThanOrEqual(4);
  // Full passes go on meanwhile, and overrides that a person writes now are not lost.
  await writeOverrides('# mine\r\n');
  await sleep(3_000);
  expect(times()).toBe(fought);
  expect((await read()).data).toMatchObject({ ...OTHER, 'overrides.yaml': '# mine\r\n' });
  expect(serve.lines.filter(({ message }) => message.includes('keeps making the same change'))).toHaveLength(
    1,
  );

  // Another change is another matter: it is put right at once.
  await cluster.admin.patch(path, { data: { 'custom_toolset.yaml': 'edited\n' } });
  await waitUntil('it is put right', async () => (await read()).data['custom_toolset.yaml'] !== 'edited\n');
  expect((await still()).data['overrides.yaml']).toBe('# mine\r\n');
});

describe('two serve processes at once', () => {
  test("with the same inputs: no operator's text is lost, they agree, and stay quiet", async () => {
    const given = await setting();
    const { env, watched, read, still, revisions, prometheus, loki, removeService, writeOverrides } = given;
    await prometheus();
    const both = [startServe({ ...env, ...SELDOM }), startServe({ ...env, ...SELDOM })];
    await waitUntil('it is published', read);
    for (let edit = 1; edit <= 30; edit++) {
      const text = `# ${edit}\r\ntools:\n  prometheus.${watched}: { description: "Edit ${edit}" }   \n`;
      await writeOverrides(text);
      await (edit % 2 === 1 ? loki() : removeService('loki'));
      // Some edits come while those before are still dealt with.
      if (edit % 3 === 0)
        await waitUntil('both the edit and what is published are there', async () => {
          const { data } = await read();
          expect(data['overrides.yaml']).toBe(text);
          return data['toolset.json']?.includes(`Edit ${edit}"`);
        });
    }
    const last = await still(1_500);
    expect(last.data['overrides.yaml']).toContain('# 30\r\n');
    expect(last.data['toolset.json']).toContain('Edit 30"');
    expect(toolNames(last)).toEqual([`prometheus.${watched}`]);
    const newest = await waitUntil('it is remembered', async () => {
      const kept = (await revisions()).at(-1);
      expect(kept?.data).toEqual(last.data);
      return kept;
    });
    expect(new Set((await revisions()).map(({ data }) => JSON.stringify(data))).size).toBe(
      (await revisions()).length,
    );
    expect(newest.revision).toBeGreaterThan(5);
    for (const { lines } of both)
      expect(lines.filter((line) => line.level === 'error' || 'stacktrace' in line)).toEqual([]);

    await writeOverrides(null);
    const bare = await waitUntil('both follow', async () => {
      const live = await read();
      return !live.data['toolset.json']?.includes('Edit') && live;
    });
    expect(documentsOf(bare)).toEqual(await generated({ ...env, ...SELDOM }));
  });

  test('with different inputs: they do not write in a tight loop', async () => {
    const { env, read, prometheus, loki } = await setting();
    await prometheus();
    await loki();
    const one = startServe({ ...env, ...SELDOM });
    await one.logged('toolset published');
    startServe({ ...env, ...SELDOM, ENABLE_LOKI: 'false' });
    const seen = new Set<string>();
    const watchedFrom = performance.now();
    let last: ConfigMap | undefined;
    while (performance.now() - watchedFrom < 8_000) {
      last = await read();
      seen.add(last.metadata.resourceVersion);
      await sleep(15);
    }
    expect(last).toBeDefined();
    expect(seen.size).toBeLessThanOrEqual(20);
  });
});

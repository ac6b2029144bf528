import { expect, test } from 'vitest';
import { waitUntil } from '../cluster/cluster.ts';
import { command } from './command.ts';
import { startServe } from './serve-process.ts';
import { SELDOM, setting, toolNames } from './setting.ts';

test('each content is kept once, the newest last, up to the limit', async () => {
  const { env, watched, read, still, prometheus, loki, removeService, writeOverrides, revisions } =
    await setting();
  const here = { ...env, ...SELDOM, REVISION_HISTORY_LIMIT: '4' };
  await prometheus();
  const serve = startServe(here);
  await serve.logged('toolset published');
  const numbers = async (): Promise<number[]> => (await revisions()).map(({ revision }) => revision);
  const kept = (...wanted: number[]): Promise<unknown> =>
    waitUntil(`revisions ${wanted} are kept`, async () => (await numbers()).join() === wanted.join());
  await kept(1);
  await loki();
  await kept(1, 2);
  const text = `tools:\n  loki.${watched}: { enabled: false }\r\n`;
  await writeOverrides(text);
  await kept(1, 2, 3);
  // What was published before is the newest again, under its own name.
  const names = new Set((await revisions()).map(({ metadata }) => metadata.name));
  await writeOverrides(null);
  await kept(1, 3, 4);
  expect(new Set((await revisions()).map(({ metadata }) => metadata.name))).toEqual(names);
  await removeService('prometheus');
  await kept(1, 3, 4, 5);

  const live = await still();
  const newest = (await revisions()).at(-1);
  expect(newest?.data).toEqual(live.data);
  await serve.stop();
  const again = startServe(here);
  await again.logged('discovery completed');
  expect((await still()).metadata.resourceVersion).toBe(live.metadata.resourceVersion);
  expect(await numbers()).toEqual([1, 3, 4, 5]);

  const table = await command(here, 'history');
  expect(table.code).toBe(0);
  expect(table.stdout.split('\n').map((line) => line.replace(/\S+Z/, 'TIME').split(/ {2,}/))).toEqual([
    ['REVISION', 'PUBLISHED', 'TOOLS', 'CHANGES'],
    ['1', 'TIME', '1'],
    ['3', 'TIME', '1', `overrides.yaml`],
    ['4', 'TIME', '2', `+loki.${watched}, overrides.yaml`],
    ['5 (current)', 'TIME', '1', `-prometheus.${watched}`],
    [''],
  ]);
  const json = await command(here, 'history', '-o', 'json');
  expect(JSON.parse(json.stdout)).toMatchObject({
    revisions: [
      { revision: 1, tools: 1, current: false },
      { revision: 3, tools: 1, current: false },
      { revision: 4, tools: 2, current: false, changes: `+loki.${watched}, overrides.yaml` },
      { revision: 5, tools: 1, current: true },
    ],
  });
  const one = await command(here, 'history', '--revision', '3', '-o', 'json');
  expect(JSON.parse(one.stdout)).toEqual((await revisions())[1]?.data);
  expect(JSON.parse(one.stdout)['overrides.yaml']).toBe(text);
  expect(toolNames(await read())).toEqual([`loki.${watched}`]);

  await writeOverrides('tools: {}\n');
  await waitUntil('a fifth content is kept', async () => (await numbers()).at(-1) === 6);
  await waitUntil('one went', async () => (await numbers()).length === 4);
  expect((await numbers()).slice(-2)).toEqual([5, 6]);
});

test('without permission for revisions it publishes, and logs once what to grant', async () => {
  const { env, watched, target, read, still, prometheus, loki } = await setting({ history: false });
  await prometheus();
  const serve = startServe({ ...env, PROBE: 'none' });
  const line = await serve.logged('no history is kept');
  expect(line.level).toBe('warn');
  expect(line.message).toMatch(
    new RegExp(`ControllerRevisions in namespace ${target}: .*forbidden: .*grant it with a Role`),
  );
  await loki();
  await waitUntil('both are tools', async () => toolNames(await read()).length === 2);
  const passes = (): number => serve.lines.filter(({ message }) => message === 'discovery completed').length;
  const before = passes();
  await waitUntil('two more passes are over', () => passes() >= before + 2);
  expect(toolNames(await still())).toContain(`loki.${watched}`);
  expect(serve.lines.filter(({ message }) => message.includes('no history is kept'))).toHaveLength(1);
  expect(serve.lines.filter(({ level }) => level === 'error')).toEqual([]);

  const history = await command(env, 'history');
  expect(history.code).not.toBe(0);
  expect(history.stderr).toMatch(/^error: cannot list ControllerRevisions .*grant it with a Role/);
  expect(history.stderr.trim().split('\n')).toHaveLength(1);
});

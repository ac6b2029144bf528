import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { waitUntil } from '../cluster/cluster.ts';
import { startBackend } from './backend.ts';
import { closedEarly, command } from './command.ts';
import { REVIEWING } from './rights.ts';
import { type Serve, startServe } from './serve-process.ts';
import { SELDOM, setting, toolNames } from './setting.ts';

const MINE = '# mine\r\ntools: {}   \n\n';
const HOLDS = 'holds until the inputs change';

/** Two publications: Prometheus, then Loki too; with what a person wrote. */
async function published(more: Readonly<Record<string, string>> = {}) {
  const given = await setting();
  const env = { ...given.env, PROBE: 'none', ...more };
  await given.prometheus();
  const serve = startServe(env);
  await serve.logged('toolset published');
  await given.writeOverrides(MINE);
  await waitUntil('that is remembered', async () => (await given.revisions()).length === 2);
  await given.loki();
  await waitUntil('both are remembered', async () => (await given.revisions()).length === 3);
  return { ...given, env, serve };
}

/** Waits until so many more full passes are over. */
async function passes({ lines }: Serve, more: number): Promise<void> {
  const count = (): number => lines.filter(({ message }) => message === 'discovery completed').length;
  const before = count();
  await waitUntil('more passes are over', () => count() >= before + more);
}

describe('rollback while serve runs', () => {
  test('a dry run shows the change; serve keeps the rollback over passes and a restart, until the inputs change', async () => {
    const { env, serve, watched, read, still, revisions, removeService } = await published();
    const both = await still();
    const [prometheus, loki] = [`prometheus.${watched}`, `loki.${watched}`];

    const dry = await command(env, 'rollback', '--dry-run');
    expect(dry).toMatchObject({ code: 0, stdout: expect.stringContaining(`-      "name": "${loki}"`) });
    expect(dry.stderr).toContain('would return to revision 2; nothing was changed');
    expect(await read()).toEqual(both);

    const done = await command(env, 'rollback');
    expect(done).toMatchObject({ code: 0, stdout: dry.stdout });
    expect(done.stderr).toContain('is back at revision 2');
    expect(await serve.logged(HOLDS)).toMatchObject({ level: 'warn', revision: 2 });
    const back = await still();
    expect(toolNames(back)).toEqual([prometheus]);
    expect(back.data['overrides.yaml']).toBe(MINE);
    expect(back.metadata.annotations['kubernaut.io/rolled-back-to']).toBe('2');
    await passes(serve, 3);
    await serve.stop();
    const second = startServe(env);
    await second.logged(HOLDS);
    await passes(second, 2);
    expect((await read()).metadata.resourceVersion).toBe(back.metadata.resourceVersion);
    // What is published is the newest revision, and there are no two with one content.
    expect((await revisions()).map(({ revision, data }) => [revision, toolNames({ data }).length])).toEqual([
      [1, 1],
      [3, 2],
      [4, 1],
    ]);
    const listed = await command(env, 'history');
    expect(listed.stdout).toMatch(/^4 \(current\) .* rollback to 2: /m);

    await removeService('loki');
    await second.logged('the rollback ended');
    const ended = await still();
    expect(toolNames(ended)).toEqual([prometheus]);
    expect(ended.data['overrides.yaml']).toBe(MINE);
    expect(Object.keys(ended.metadata.annotations).filter((key) => key.includes('rolled'))).toEqual([]);
    expect(Object.keys((await revisions()).at(-1)?.metadata.annotations ?? {})).toEqual([
      'kubernaut.io/last-published',
      'kubernaut.io/published-before-ms',
      'kubernaut.io/services-in-use',
    ]);
    expect(second.lines.filter(({ message }) => message.includes(HOLDS))).toHaveLength(1);
    expect([...serve.lines, ...second.lines].filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('--to the published revision, or back to the current inputs, holds nothing', async () => {
    const { env, serve, still, revisions } = await published(SELDOM);
    const before = await still();
    const same = await command(env, 'rollback', '--to', '3');
    expect(same).toMatchObject({ code: 0, stdout: '' });
    expect(same.stderr).toContain('has the documents of revision 3 already');
    expect((await still()).metadata.resourceVersion).toBe(before.metadata.resourceVersion);

    expect((await command(env, 'rollback', '--to', '1')).code).toBe(0);
    await serve.logged(HOLDS);
    expect((await command(env, 'rollback', '--to', '3')).stderr).toContain(
      'is at revision 3 (5 in history now); the rollback to revision 1 has ended',
    );
    await serve.logged('somebody ended the rollback to revision 1');
    const again = await still();
    expect(again.data).toEqual(before.data);
    expect(Object.keys(again.metadata.annotations).filter((key) => key.includes('rolled'))).toEqual([]);
    expect((await revisions()).at(-1)?.data).toEqual(before.data);
  });

  test('repeated, it goes further back, and never to what was rolled back', async () => {
    const { env, serve, watched, cluster, still, revisions } = await published(SELDOM);
    await cluster.service(watched, {
      name: 'tempo',
      labels: { app: 'tempo' },
      ports: [{ port: 3200, name: 'http' }],
    });
    await waitUntil('the third is remembered', async () => (await revisions()).length === 4);
    await still();
    expect((await command(env, 'rollback')).stderr).toContain('is back at revision 3');
    await serve.logged(HOLDS);
    const further = await command(env, 'rollback');
    expect(further.stderr).toContain('so this goes further back');
    expect(further.stderr).toContain('is back at revision 2');
    const held = await still();
    expect(toolNames(held)).toEqual([`prometheus.${watched}`]);
    // The first revision has the same documents, and other overrides.
    const last = await command(env, 'rollback');
    expect(last).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no earlier revision') });
    expect((await still()).metadata.resourceVersion).toBe(held.metadata.resourceVersion);
    expect(await command(env, 'rollback', '--end')).toMatchObject({ code: 0 });
    expect(toolNames(await still())).toHaveLength(3);
  });

  test('while removals are held, it holds too, and outlasts the hold', async () => {
    const { env, serve, read, still, loki, removeService } = await published({ REMOVAL_HOLD: '15s' });
    const both = toolNames(await still());
    await removeService('loki');
    await waitUntil('one of two is removed', async () => toolNames(await read()).length === 1);
    await removeService('prometheus');
    await serve.logged('gone, unusable or beyond a limit');
    expect((await still()).metadata.annotations).toHaveProperty(['kubernaut.io/removal-held']);
    await command(env, 'rollback', '--to', '3');
    await serve.logged(HOLDS);
    const back = await still();
    expect(toolNames(back)).toEqual(both);
    await new Promise((resolve) => setTimeout(resolve, 17_000));
    await passes(serve, 2);
    expect((await still()).metadata.resourceVersion).toBe(back.metadata.resourceVersion);
    expect(serve.lines.filter(({ message }) => message.includes('the rollback ended'))).toEqual([]);
    await loki();
    await serve.logged('the rollback ended');
  });

  test('a change of overrides ends it too, and an edit of its documents is reverted', async () => {
    const { env, serve, watched, cluster, path, still, writeOverrides } = await published(SELDOM);
    await command(env, 'rollback');
    await serve.logged(HOLDS);
    const held = await still();
    await cluster.admin.patch(path, { data: { 'toolset.json': '{}' } });
    await serve.logged('somebody changed generated content');
    expect((await still()).data).toEqual(held.data);
    await cluster.admin.delete(path);
    await serve.logged('it was recreated, with the last known overrides.yaml');
    const anew = await still();
    expect(anew.data).toEqual(held.data);
    expect(anew.metadata.annotations['kubernaut.io/rolled-back-to']).toBe('2');

    const text = `tools:\n  loki.${watched}: { description: Ours }\n`;
    await writeOverrides(text);
    await serve.logged('the rollback ended');
    const now = await still();
    expect(now.data['overrides.yaml']).toBe(text);
    expect(now.data['toolset.json']).toContain('"Ours"');
  });
});

test('what overrides switch off later stays off, unless the user says otherwise', async () => {
  const { env, serve, watched, read, still, writeOverrides } = await published(SELDOM);
  await writeOverrides(`tools:\n  ${watched}/loki: { enabled: false }\n`);
  await waitUntil('it is off', async () => toolNames(await read()).join() === `prometheus.${watched}`);
  const off = await still();
  const refused = await command(env, 'rollback', '--to', '3');
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(
    `revision 3 contains items that are switched off now: Service ${watched}/loki: overrides.yaml switches it off`,
  );
  expect((await read()).metadata.resourceVersion).toBe(off.metadata.resourceVersion);
  expect(await command(env, 'rollback', '--to', '2')).toMatchObject({ code: 0 });
  expect(await command(env, 'rollback', '--to', '3', '--allow-unapproved')).toMatchObject({ code: 0 });
  await serve.logged(HOLDS);
  expect(toolNames(await still())).toEqual([`loki.${watched}`, `prometheus.${watched}`]);
});

describe('rollback while serve does not run', () => {
  test('invalid numbers end with 2 and list the valid ones; the next serve keeps a valid one', async () => {
    const { env, serve, watched, still } = await published(SELDOM);
    await still();
    await serve.stop();
    const rolling = async (...args: string[]): Promise<unknown[]> => {
      const { code, stdout, stderr } = await command(env, ...args);
      return [code, stdout, stderr.split('\n')[0]];
    };
    const missing = [2, '', 'error: there is no revision 99; there are: 1, 2, 3'];
    expect(await rolling('rollback', '--to', '99')).toEqual(missing);
    expect(await rolling('history', '--revision', '99')).toEqual(missing);
    expect((await rolling('rollback', '--to', '0'))[0]).toBe(2);
    expect(await command(env, 'rollback')).toMatchObject({ code: 0 });
    const next = startServe(env);
    await next.logged(HOLDS);
    const now = await still();
    expect(toolNames(now)).toEqual([`prometheus.${watched}`]);
    expect(now.data['overrides.yaml']).toBe(MINE);
  });

  test('after the ConfigMap was deleted, it is created again with the overrides', async () => {
    const { env, serve, watched, cluster, path, read, still } = await published(SELDOM);
    await still();
    await serve.stop();
    await cluster.admin.delete(path);
    const { NAMESPACES: _, ...elsewhere } = env as Readonly<Record<string, string>>;
    const unknown = 'namespaces: it is unknown which ones serve searched, and this command searches default,';
    expect((await command(elsewhere, 'diff')).stderr).toContain(unknown);
    expect(await command(env, 'rollback', '--to', '1')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('The history does not have the namespaces that serve searched'),
    });
    expect((await command(elsewhere, 'diff')).stderr).toContain(unknown);
    expect((await command(env, 'diff')).stderr).not.toContain('unknown');
    const made = await read();
    expect(toolNames(made)).toEqual([`prometheus.${watched}`]);
    expect(made.data['overrides.yaml']).toBe(MINE);
    expect(made.metadata.managedFields.map(({ manager }) => manager)).toEqual(['dynamic-toolset']);
    const next = startServe(env);
    await next.logged(HOLDS);
    // `serve` adds only what it alone knows.
    const now = await still();
    expect([now.data, now.metadata.annotations]).toEqual([
      made.data,
      {
        ...made.metadata.annotations,
        'kubernaut.io/last-updated': expect.any(String),
        'kubernaut.io/searched-namespaces': watched,
        // With the time if both Services were created in the same second.
        'kubernaut.io/services-in-use': expect.stringMatching(
          new RegExp(`^{"${watched}":{"loki":\\["",?[0-9,]*\\]}}$`),
        ),
      },
    ]);
  });
});

test('a reader that closes the pipe at once does not interrupt a rollback', async () => {
  const { env, serve, revisions, still } = await published();
  await serve.stop();
  expect(await closedEarly(env, 'rollback', '--to', '1')).toBe(0);
  const back = await still();
  expect(back.metadata.annotations['kubernaut.io/rolled-back-to']).toBe('1');
  expect((await revisions()).at(-1)?.revision).toBe(4);
});

/** Two backends with two Services each, a `serve` with its API, and a function that has people choose entry points. */
async function withGateways() {
  const [prometheus, grafana] = [await startBackend(), await startBackend()];
  grafana.answer(({ url }, response) => {
    const isHealth = url === '/api/health';
    const text = JSON.stringify({ commit: 'a', database: 'ok', version: '11.0.0' });
    response.writeHead(isHealth ? 200 : 404).end(isHealth ? text : '');
  });
  const given = await setting({ clusterRules: REVIEWING });
  const { cluster, target, watched, read, writeOverrides } = given;
  const folder = await mkdtemp(join(tmpdir(), 'held-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'config.yaml');
  await writeFile(file, `credentials:\n  ${watched}/grafana: { bearerToken: GRAFANA_TOKEN }\n`);
  const connectTo: string[] = [];
  for (const [app, port, backend] of [
    ['prometheus', 9090, prometheus],
    ['grafana', 3000, grafana],
  ] as const)
    for (const name of [app, `${app}-gateway`]) {
      const labels = { 'app.kubernetes.io/name': app };
      const isNamed = name === 'prometheus';
      const annotations = { 'kubernaut.io/toolset': 'true', 'kubernaut.io/toolset-name': 'metrics' };
      await cluster.service(watched, {
        ...{ name, labels, selector: { app }, ports: [{ port, name: 'http' }] },
        ...(isNamed ? { annotations } : {}),
      });
      connectTo.push(`${name}.${watched}.svc.cluster.local:${port}:127.0.0.1:${backend.port}`);
    }
  const env = { ...given.env, CONFIG_FILE: file, CONNECT_TO: connectTo.join(',') };
  const serve = startServe({ ...env, API_ADDRESS: '127.0.0.1:0' });
  const { port } = await serve.logged('the API is served');
  const token = await cluster.token(await cluster.serviceAccount({ namespace: target }));
  const get = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return JSON.parse(await answer.text());
  };
  await serve.logged('toolset published');
  const choose = async (...names: readonly string[]): Promise<void> => {
    const says = names.map((name) => `  ${watched}/${name}: { description: By ${name} }\n`);
    await writeOverrides(`tools:\n${says.join('')}`);
    await waitUntil('they are published', async () => {
      const text = (await read()).data['toolset.json'] ?? '';
      return names.every((name) => text.includes(`"http://${name}.`) && text.includes(`By ${name}"`));
    });
  };
  return { ...given, env, serve, get, choose };
}

test('what is published of other Services of a backend is what the documents of a rollback have', async () => {
  const { env, serve, watched, get, choose, still, revisions } = await withGateways();
  await choose('prometheus-gateway', 'grafana-gateway');
  const then = toolNames(await still());
  const to = (await revisions()).at(-1)?.revision;
  await choose('prometheus', 'grafana');
  const now = await still();
  const [grafana = '', metrics = ''] = toolNames(now);
  expect(now.data['custom_toolset.yaml']).toContain('grafana/dashboards');
  expect(metrics).not.toBe(then[1]);

  const back = await command(env, 'rollback', '--to', String(to), '--allow-unapproved');
  expect(back).toMatchObject({ code: 0 });
  await serve.logged(HOLDS);
  const held = await still();
  expect(toolNames(held)).toEqual(then);
  expect(held.data['custom_toolset.yaml']).not.toContain('grafana/dashboards');
  const url = (name: string, port: number): string => `http://${name}.${watched}.svc.cluster.local:${port}`;
  const holds = `the rollback to revision ${to} ${HOLDS}; to end it, run dynamic-toolset rollback --end`;
  const instead = `${holds}; until then, the documents have the tool ${then[1]} at ${url('prometheus-gateway', 9090)} for this backend`;
  const partly = `left out of custom_toolset.yaml, as the tool ${grafana} at ${url('grafana-gateway', 3000)}: ${holds}`;

  const explained = async (name: string): Promise<string> => {
    const { stdout } = await command(env, 'explain', `${watched}/${name}`);
    return stdout.split('\nConditions\n')[1] ?? '';
  };
  const original = await explained('prometheus');
  expect(original).toContain(`Published  False    HeldByRollback: ${instead}`);
  expect(original).toContain(`prometheus, not published: ${instead}`);
  const gateway = await explained('prometheus-gateway');
  expect(gateway).toContain('not in use now: prometheus is the one for this prometheus');
  expect(gateway).toContain(`still published as the tool ${then[1]}: ${holds}`);
  expect(await explained('grafana')).toContain(`grafana, the tool ${grafana} ${partly}`);
  const { stdout: list } = await command(env, 'discover', '-o', 'wide');
  expect(list.match(/ (yes|no|HeldByRollback)\b.*$/gm)).toHaveLength(2);
  expect(list).not.toMatch(/\byes\b/);

  const published = ['False', 'HeldByRollback'];
  const conditionOf = ({ conditions }: { conditions: Record<string, string>[] }) => {
    const { status, reason, message } = conditions.find(({ type }) => type === 'Published') ?? {};
    return { is: [status, reason], message };
  };
  const { services } = await get('/api/v1/services');
  expect(services.map(conditionOf)).toEqual([
    { is: published, message: partly },
    { is: published, message: instead },
  ]);
  const { toolsets } = await get('/api/v1/toolsets');
  const all = toolsets.map((each: never) => {
    const { name, backend, documents } = each;
    return [name, backend, documents, conditionOf(each).message];
  });
  const id = (name: string) => expect.stringMatching(`^${watched}/${name}`);
  const where = (json: boolean, yaml: boolean) => ({ 'toolset.json': json, 'custom_toolset.yaml': yaml });
  expect(all).toEqual([
    [grafana, id('grafana'), where(true, false), partly],
    [metrics, id('prometheus'), where(false, false), instead],
    [then[1], id('prometheus'), where(true, true), instead],
  ]);

  expect(await command(env, 'rollback', '--end')).toMatchObject({ code: 0 });
  await serve.logged('somebody ended the rollback');
  expect(await explained('prometheus')).toContain(`prometheus, in the documents as the tool ${metrics}`);
  const after = await get(`/api/v1/toolsets/${grafana}`);
  expect(after.documents).toEqual(where(true, true));
});

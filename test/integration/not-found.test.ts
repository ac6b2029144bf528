import { expect, test } from 'vitest';
import { testCluster, waitUntil } from '../cluster/cluster.ts';
import { command } from './command.ts';
import { startServe } from './serve-process.ts';
import { setting as serveSetting, toolNames } from './setting.ts';

/** Rights to list Services in a namespace, and in all of them with namespaces where that is wanted. */
async function setting(all: boolean) {
  const cluster = testCluster();
  const watched = await cluster.namespace('watched');
  const other = await cluster.namespace('other');
  const services = { apiGroups: [''], resources: ['services'], verbs: ['list'] };
  const account = await cluster.serviceAccount({
    namespace: watched,
    rulesIn: { [watched]: [services] },
    ...(all
      ? { clusterRules: [services, { apiGroups: [''], resources: ['namespaces'], verbs: ['list'] }] }
      : {}),
  });
  await cluster.service(other, { name: 'prometheus', ports: [{ port: 9090, name: 'web' }] });
  await cluster.service(watched, { name: 'shop-frontend', ports: [{ port: 80, name: 'http' }] });
  return { watched, other, env: { KUBECONFIG: await cluster.kubeconfig(account), PROBE: 'none' } };
}

test('explain suggests similar Services, and the namespaces with one of that name', async () => {
  const { watched, other, env } = await setting(true);
  const typo = await command(env, 'explain', `${watched}/shop-fronted`);
  expect(typo).toMatchObject({ code: 2, stdout: '' });
  expect(typo.stderr).toContain(`did you mean ${watched}/shop-frontend?`);
  const elsewhere = await command(env, 'explain', `${watched}/prometheus`);
  expect(elsewhere.stderr).toContain(`there is ${other}/prometheus`);
  expect((await command(env, 'explain', `${watched}x/prometheus-nine`)).stderr).toContain(
    `there is no namespace ${watched}x; did you mean ${watched}?`,
  );
});

test('explain of a deleted Service says until when its tool stays published, and why', async () => {
  const { watched, env: base, prometheus, loki, removeService, read, still } = await serveSetting();
  const env = { ...base, PROBE: 'none' };
  await prometheus();
  await loki();
  const serve = startServe(env);
  await waitUntil(
    'both are published',
    async () => toolNames(await read().catch(() => ({ data: {} }))).length === 2,
  );
  await serve.stop();
  await Promise.all(['prometheus', 'loki'].map(removeService));
  const explained = () => command(env, 'explain', `${watched}/loki`);
  const none = `there is no Service ${watched}/loki; the namespace ${watched} has none. Its tool loki.${watched} is still published: `;
  expect(await explained()).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`${none}serve removes it with its next publication`),
  });
  await startServe(env).logged('gone, unusable or beyond a limit');
  const [, since = ''] =
    /^(\S+) /.exec((await still()).metadata.annotations['kubernaut.io/removal-held'] ?? '') ?? [];
  const until = new Date(Date.parse(since) + 300_000).toISOString().replace('.000', '');
  expect((await explained()).stderr).toContain(`${none}it stays until ${until}, because most tools`);
});

test.each(['discover', 'generate'])('%s reports namespaces that do not exist', async (name) => {
  const { watched, other, env } = await setting(true);
  const ended = await command(env, name, '-n', `${watched},${watched}x`);
  expect(ended.code).toBe(0);
  expect(ended.stderr.replace(/^warning: ConfigMap .*\n/, '')).toBe(
    `warning: there is no namespace ${watched}x; did you mean ${watched}?\n` +
      `No backends found among 1 Service in namespaces ${watched}, ${watched}x.\n`,
  );
  const beside = await command(env, name, '-n', `${other},zzzzzzzz`);
  expect(beside.stderr).toMatch(/^warning: there is no namespace zzzzzzzz; choose another with -n$/m);
  expect(beside.stderr).not.toContain('No backends found');
  const empty = await command(env, name, '-n', watched);
  expect(empty.stderr).toContain('No backends found among 1 Service in');
  expect(empty.stderr).toContain('-A');
  const quiet = await command(env, name, '-n', watched, '--quiet');
  expect(quiet).toMatchObject({ code: 0, stderr: '' });
});

test('without permission to list, it reports what it knows', async () => {
  const { watched, env } = await setting(false);
  const elsewhere = await command(env, 'explain', `${watched}/prometheus`);
  expect(elsewhere.code).toBe(2);
  expect(elsewhere.stderr).toContain('the namespace has shop-frontend');
});

const ELSEWHERE =
  /^warning: other namespaces: not searched, with \d+ likely backends?: .*; use -A to see them$/m;

test('discover searches all namespaces if nobody chose any, or else says what is in the others', async () => {
  const { watched, other, env } = await setting(true);
  const all = await command(env, 'discover');
  expect(all.stdout).toMatch(new RegExp(`^${other} +prometheus `, 'm'));
  expect(all.stderr).not.toMatch(ELSEWHERE);
  for (const name of ['discover', 'generate']) {
    const chosen = await command({ ...env, NAMESPACES: watched }, name);
    expect(chosen.stdout).not.toContain(other);
    expect(chosen.stderr).toMatch(ELSEWHERE);
    expect((await command(env, name, '-n', watched)).stderr).not.toMatch(ELSEWHERE);
  }
});

test('serve logs once what the namespaces that it does not search have, if it may list them', async () => {
  const services = { apiGroups: [''], resources: ['services'], verbs: ['list'] };
  const { cluster, watched, prometheus, env } = await serveSetting({ clusterRules: [services] });
  const other = await cluster.namespace('other');
  await cluster.service(other, { name: 'prometheus', ports: [{ port: 9090, name: 'web' }] });
  await prometheus();
  const serve = startServe({ ...env, PROBE: 'none' });
  const { level, message } = await serve.logged('not searched');
  expect([level, message]).toEqual([
    'info',
    expect.stringMatching(/^other namespaces: not searched, with \d+ likely backends?: /),
  ]);
  expect(message).toMatch(/; add them to NAMESPACES to use them$/);
  expect(message).not.toContain(watched);
  await waitUntil(
    'it has discovered again',
    () => serve.lines.filter((line) => line.triggered_by === 'interval').length > 2,
  );
  await serve.stop();
  expect(serve.lines.filter((line) => line.message.includes('not searched'))).toHaveLength(1);
});

test('discover searches the default namespaces if it may not list all', async () => {
  const { env } = await setting(false);
  const { stderr } = await command(env, 'discover');
  expect(stderr).toContain('cannot list Services in monitoring, observability, default');
  expect(stderr).not.toMatch(ELSEWHERE);
});

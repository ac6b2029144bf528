import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { testCluster } from '../cluster/cluster.ts';
import { NoProgram } from '../cluster/go-program.ts';
import { kubectl } from '../cluster/kubectl.ts';
import { krewInstall } from './krew.ts';
import { PUBLISHING } from './rights.ts';

const repository = join(import.meta.dirname, '../..');
let folder = '';
let bin = '';
let program: string | NoProgram = '';

beforeAll(async () => {
  program = await kubectl().catch((error: unknown) => {
    if (error instanceof NoProgram) return error;
    throw error;
  });
  folder = await mkdtemp(join(tmpdir(), 'dynamic-toolset-kubectl-'));
  execFileSync(process.execPath, ['scripts/release.ts', '--out', join(folder, 'release')], {
    cwd: repository,
  });
  bin = await krewInstall(join(folder, 'release'), folder);
}, 30 * 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach((context) => {
  if (program instanceof NoProgram) context.skip(program.message);
});

/** Runs a program with the plugin and Node.js on PATH, and nothing of this process' environment but what is given. */
async function run(file: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const path = [bin, dirname(process.execPath), '/usr/bin', '/bin'].join(':');
  const child = spawn(file, args, {
    env: { PATH: path, HOME: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await ended, stdout, stderr };
}
const toolset = (env: Readonly<Record<string, string>>, ...args: string[]) =>
  run(String(program), ['toolset', ...args], env);

test('kubectl runs the plugin, and its help and errors repeat the typed name', async () => {
  const version = await toolset({}, 'version');
  expect(version).toMatchObject({ code: 0, stdout: expect.stringContaining('dynamic-toolset 0.1.0') });
  const help = await toolset({}, 'discover', '--help');
  expect(help).toMatchObject({ code: 0, stdout: expect.stringContaining('Usage: kubectl toolset discover') });
  expect((await toolset({}, 'discover', '--no-such-flag')).code).toBe(2);
  const listed = await run(String(program), ['plugin', 'list']);
  expect(listed.stdout).toContain(join(bin, 'kubectl-toolset'));
  expect(listed.stderr).not.toContain('warning');
});

test('kubectl toolset works on manifests with no cluster', async () => {
  const found = await toolset(
    { KUBECONFIG: '/nonexistent' },
    'discover',
    '-f',
    join(repository, 'demo/cluster'),
  );
  expect(found.code).toBe(0);
  expect(found.stdout).toMatch(/stack-prometheus\s+prometheus/);
});

test('kubectl toolset works on the cluster of KUBECONFIG, and of --kubeconfig behind the name', async () => {
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
  await cluster.service(watched, {
    name: 'loki',
    labels: { app: 'loki' },
    ports: [{ port: 3100, name: 'http' }],
  });
  const KUBECONFIG = await cluster.kubeconfig(account);
  const env = { KUBECONFIG, NAMESPACES: watched, CONFIGMAP_NAMESPACE: target, PROBE: 'none' };

  const byVariable = await toolset({ KUBECONFIG, PROBE: 'none' }, 'discover', '-n', watched);
  expect(byVariable.code).toBe(0);
  expect(byVariable.stdout).toMatch(/loki\s+loki/);
  const byFlag = await toolset({}, 'discover', '-n', watched, '--probe', 'none', '--kubeconfig', KUBECONFIG);
  expect(byFlag).toEqual(byVariable);

  expect((await toolset(env, 'diff')).code).toBe(1);
  expect((await toolset(env, 'serve', '--once')).code).toBe(0);
  expect(await toolset(env, 'diff')).toMatchObject({ code: 0, stdout: '' });
});

test('without Node.js, or with an old one, the plugin says what it needs', async () => {
  const empty = await mkdtemp(join(folder, 'empty-'));
  const programs = ['dirname', 'readlink'];
  for (const name of programs) {
    const found = execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
    await symlink(found, join(empty, name));
  }
  const without = await run('/bin/sh', [join(bin, 'kubectl-toolset'), 'version'], { PATH: empty });
  expect(without.code).toBe(1);
  expect(without.stderr).toContain('needs Node.js 24 or newer, and there is no "node" on PATH');

  const source = await readFile(join(folder, 'store/toolset/kubectl-toolset.js'), 'utf8');
  const old = await run(process.execPath, [
    '--input-type=module',
    '--eval',
    `Object.defineProperty(process.versions, 'node', { value: '20.1.0' });\n${source.replace(/^#!.*/, '')}`,
  ]);
  expect(old.code).toBe(1);
  expect(old.stderr).toContain('needs Node.js 24 or newer, and this is 20.1.0');
});

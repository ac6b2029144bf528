import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { testCluster } from '../cluster/cluster.ts';
import { NoProgram } from '../cluster/go-program.ts';
import { kubectl } from '../cluster/kubectl.ts';
import { noHelm, type Rendered, type Values } from './chart.ts';
import { install, installMonitoringKinds } from './install.ts';
import { identity, KUSTOMIZE, kustomizeFiles, OVERLAYS, wanted } from './kustomize.ts';

const found = await kubectl().catch((error: unknown) => {
  if (error instanceof NoProgram) return error;
  throw error;
});

/** Runs kubectl. @returns what it prints */
async function run(...args: readonly string[]): Promise<string> {
  if (typeof found !== 'string') throw found;
  const { stdout } = await promisify(execFile)(found, [...args], { maxBuffer: 1 << 24 });
  return stdout;
}

beforeEach(({ skip }) => {
  skip(noHelm !== undefined, noHelm);
  skip(typeof found !== 'string', String(found));
});

test('the files match the output of npm run manifests', async () => {
  const files = await kustomizeFiles();
  expect(globSync('*/**/*.yaml', { cwd: KUSTOMIZE }).sort()).toEqual(Object.keys(files).sort());
  for (const [name, text] of Object.entries(files))
    expect([name, readFileSync(join(KUSTOMIZE, name), 'utf8')]).toEqual([name, text]);
});

const sorted = (all: readonly Rendered[]): readonly Rendered[] =>
  [...all].sort((a, b) => identity(a).localeCompare(identity(b)));

const folders: readonly (readonly [string, Values])[] = [
  ['base', {}],
  ...Object.entries(OVERLAYS).map(([name, values]) => [`overlays/${name}`, values] as const),
];

test.each(folders)('kubectl kustomize renders %s like the chart', async (folder, values) => {
  const all = parseAllDocuments(await run('kustomize', join(KUSTOMIZE, folder))).map(
    (document) => document.toJS() as Rendered,
  );
  expect(sorted(all)).toEqual(sorted(await wanted(values)));
});

test.each(folders)('kubectl apply accepts %s', async (folder) => {
  const { admin, connection } = testCluster();
  await installMonitoringKinds(admin);
  for (const name of ['kubernaut-system', 'monitoring', 'holmesgpt'])
    await install(admin, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  const said = await run(
    ...['--kubeconfig', connection.kubeconfigPath, 'apply', '--server-side', '--force-conflicts'],
    ...['--dry-run=server', '-k', join(KUSTOMIZE, folder)],
  );
  expect(said).toContain('deployment.apps/dynamic-toolset serverside-applied (server dry run)');
});

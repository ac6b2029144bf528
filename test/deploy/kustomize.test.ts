import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { testCluster } from '../cluster/cluster.ts';
import { NoProgram } from '../cluster/go-program.ts';
import { kubectl } from '../cluster/kubectl.ts';
import { noHelm, type Rendered, type Values } from './chart.ts';
import { install, installMonitoringKinds } from './install.ts';
import { COMPONENTS, identity, KUSTOMIZE, kustomizeFiles, wanted } from './kustomize.ts';

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
  ...Object.entries(COMPONENTS).map(([name, values]) => [`overlays/${name}`, values] as const),
];

/** What kubectl renders from a folder with a Kustomization. */
const rendered = async (folder: string): Promise<readonly Rendered[]> =>
  sorted(parseAllDocuments(await run('kustomize', folder)).map((document) => document.toJS() as Rendered));

test.each(folders)('kubectl kustomize renders %s like the chart', async (folder, values) => {
  expect(await rendered(join(KUSTOMIZE, folder))).toEqual(sorted(await wanted(values)));
});

/** The path of a part of deploy/kustomize from a folder of `renderedFiles`. Kustomize accepts only relative paths. */
const relativeTo = (part: string): string => relative(join(tmpdir(), 'kustomize'), join(KUSTOMIZE, part));

/** Renders these files in a folder of their own. */
async function renderedFiles(files: Readonly<Record<string, string>>): Promise<readonly Rendered[]> {
  const folder = await mkdtemp(join(tmpdir(), 'kustomize-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return rendered(folder);
}

const NAMES = Object.keys(COMPONENTS);
const COMBINATIONS = [
  ...NAMES.flatMap((one) => NAMES.filter((other) => other !== one).map((other) => [one, other])),
  NAMES,
];

test.each(COMBINATIONS.map((names) => [names]))('components %j can be combined', async (names) => {
  const chosen = names.map((name) => COMPONENTS[name] ?? {});
  const settings: Values = Object.assign({}, ...chosen.map((each) => each.settings ?? {}));
  const values: Values = Object.assign({}, ...chosen, { settings });
  const kustomization = {
    resources: [relativeTo('base')],
    components: names.map((name) => relativeTo(`components/${name}`)),
  };
  const all = await renderedFiles({ 'kustomization.yaml': stringify(kustomization) });
  expect(all).toEqual(sorted(await wanted(values)));
});

test('the example of the installation page renders like the chart with the same settings', async () => {
  const page = readFileSync('docs/install.md', 'utf8');
  const example = [...page.matchAll(/(?<=```yaml\n)apiVersion: kustomize[^`]*/g)].find(([text]) =>
    text.includes('rbac-in-shop.yaml'),
  )?.[0];
  if (example === undefined) throw new Error('no example');
  const copies = (await wanted())
    .filter(({ kind, metadata }) => /^Role/.test(kind) && metadata.namespace === 'monitoring')
    .map((each) => ({ ...each, metadata: { ...each.metadata, namespace: 'shop' } }));
  const all = await renderedFiles({
    'kustomization.yaml': example.replaceAll('dynamic-toolset/deploy/kustomize', relativeTo('.')),
    'rbac-in-shop.yaml': copies.map((each) => stringify(each)).join('---\n'),
  });
  const values = {
    settings: { namespaces: ['monitoring', 'shop'] },
    image: { repository: 'registry.example/dynamic-toolset' },
  };
  expect(all).toEqual(sorted(await wanted(values)));
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

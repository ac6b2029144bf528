/**
 * Packs the program like a release, installs it into an empty folder, and runs it and the library's example.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkLibrary, libraryExample } from './library-check.ts';

const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'dynamic-toolset-package-'));
const run = (command: string, args: string[], cwd = folder): string =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

try {
  run('npm', ['pack', '--silent', '--pack-destination', folder], root);
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error('npm pack created no package');
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  run('npm', ['install', '--no-audit', '--no-fund', '--offline', `./${tarball}`]);
  const packages = readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'));
  if (packages.join() !== 'dynamic-toolset')
    throw new Error(`the package installed others: ${packages.join(', ')}`);

  const command = join(folder, 'node_modules/.bin/dynamic-toolset');
  const version = run(command, ['version']);
  const found = JSON.parse(run(command, ['discover', '-f', join(root, 'demo/cluster'), '-o', 'json'])) as {
    services: { type: string }[];
  };
  const types = found.services.map(({ type }) => type).sort();
  if (!types.includes('prometheus') || !types.includes('loki'))
    throw new Error(`the packed program found only: ${types.join(', ')}`);
  // Each command loads its own chunks; those that need a cluster are tested in test/integration.
  const manifests = ['-f', join(root, 'demo/cluster')];
  for (const format of ['table', 'wide', 'yaml']) run(command, ['discover', ...manifests, '-o', format]);
  for (const format of ['holmesgpt', 'toolset-json', 'configmap'])
    run(command, ['generate', ...manifests, '--format', format, '--out', `${format}.yaml`]);
  run(command, ['explain', 'observability/loki-ingester', ...manifests]);
  run(command, ['validate', '--kind', 'holmesgpt', 'holmesgpt.yaml']);
  run(command, [
    'serve',
    ...manifests,
    '--once',
    '--out',
    'published.yaml',
    '--metrics-address',
    '127.0.0.1:0',
  ]);
  const { resolve } = createRequire(join(folder, 'package.json'));
  for (const name of ['overrides', 'config', 'detector'])
    JSON.parse(readFileSync(resolve(`dynamic-toolset/schemas/${name}.schema.json`), 'utf8'));
  const { program, output } = libraryExample();
  if (checkLibrary(folder, program).trimEnd() !== output)
    throw new Error('the example of docs/library.md does not print what the page says');
  const bytes = statSync(join(folder, tarball)).size;
  console.log(
    `${version.trim()}: packed to ${(bytes / 1024).toFixed(0)} KiB, installed alone, found ${types.join(', ')}; the library's example compiles and runs`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

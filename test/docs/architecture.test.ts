import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, test } from 'vitest';

const FOLDERS = [
  '.github',
  'bench',
  'demo',
  'deploy',
  'detectors',
  'docs',
  'schemas',
  'scripts',
  'src',
  'test',
];

/** Documents of clusters, a file of the root folder, and a placeholder. */
const ELSEWHERE = new Set([
  'custom_toolset.yaml',
  'toolset.json',
  'overrides.yaml',
  '.dependency-cruiser.json',
  'src/cli/commands/COMMAND.ts',
]);

test('docs/architecture.md names only files that exist', () => {
  const page = readFileSync('docs/architecture.md', 'utf8');
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
  );
  const names = new Set(files.map((file) => basename(file)));
  const named = [...page.matchAll(/`([\w./-]+\.(?:ts|yaml|json|md))`/g)].map(([, name = '']) => name);
  expect(named.length).toBeGreaterThan(100);
  const missing = named.filter((name) => {
    if (ELSEWHERE.has(name)) return false;
    return name.includes('/') ? !files.some((file) => file.endsWith(name)) : !names.has(name);
  });
  expect([...new Set(missing)]).toEqual([]);
});

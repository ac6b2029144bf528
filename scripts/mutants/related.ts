/** Finds the test files that import a source file, directly or indirectly. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const IMPORT = /(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+\.ts)'/g;

/**
 * The unit tests that import one of the files, directly or indirectly: the test next to a file first, then by the number
 * of imports in between. Paths are relative to the root.
 */
export function relatedTests(root: string, files: readonly string[]): string[] {
  const importers = new Map<string, string[]>();
  for (const path of globSync('src/**/*.ts', { cwd: root })) {
    for (const [, to = ''] of readFileSync(join(root, path), 'utf8').matchAll(IMPORT)) {
      const target = normalize(join(dirname(path), to));
      importers.set(target, [...(importers.get(target) ?? []), path]);
    }
  }
  const distance = new Map(files.map((file) => [file, 0]));
  for (const [file, steps] of distance) {
    for (const importer of importers.get(file) ?? [])
      if (!distance.has(importer)) distance.set(importer, steps + 1);
  }
  const beside = new Set(files.map((file) => file.replace(/\.ts$/, '.test.ts')));
  const order = (test: string): number => (beside.has(test) ? 0 : (distance.get(test) ?? 0));
  return [...distance.keys()].filter((path) => path.endsWith('.test.ts')).sort((a, b) => order(a) - order(b));
}

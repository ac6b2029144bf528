/** Writes the Kustomize base, components and overlays from the Helm chart: `npm run manifests`. A test checks that they are up to date. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { KUSTOMIZE, kustomizeFiles } from '../test/deploy/kustomize.ts';

const files = await kustomizeFiles();
for (const folder of ['base', 'components', 'overlays'])
  rmSync(join(KUSTOMIZE, folder), { recursive: true, force: true });
for (const [name, text] of Object.entries(files)) {
  const path = join(KUSTOMIZE, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
console.log(`${Object.keys(files).length} files written to deploy/kustomize`);

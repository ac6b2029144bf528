/** Makes the one file that ships: `dist/dynamic-toolset.js`, with every library and all detectors in it. */
import { chmod, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { builtInDetectors } from '../src/config/detector-files.ts';

const root = join(import.meta.dirname, '..');
const outfile = join(root, 'dist/dynamic-toolset.js');

/** The bundle has no folder to read detectors from, so they stand in it, parsed and checked already. */
const detectors: Plugin = {
  name: 'detectors',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]src[\\/]config[\\/]detector-files\.ts$/ }, () => ({
      loader: 'js',
      contents: `export const builtInDetectors = () => JSON.parse(${JSON.stringify(JSON.stringify(builtInDetectors()))});`,
    }));
  },
};

/** The licence texts of all packages whose code is in the bundle. */
async function notices(inputs: readonly string[]): Promise<string> {
  const packages = new Set(
    inputs.flatMap((input) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? []),
  );
  const texts = await Promise.all(
    [...packages].sort().map(async (folder) => {
      const path = join(root, folder);
      const { name, version, license } = JSON.parse(await readFile(join(path, 'package.json'), 'utf8'));
      const file = (await readdir(path)).find((entry) => /^licen[cs]e/i.test(entry));
      const text = file === undefined ? '' : `\n${(await readFile(join(path, file), 'utf8')).trim()}\n`;
      return `${name} ${version} (${license})\n${text}`;
    }),
  );
  return `The program contains code of these packages.\n\n${texts.join(`\n${'-'.repeat(80)}\n\n`)}`;
}

await rm(join(root, 'dist'), { recursive: true, force: true });
const { metafile } = await build({
  metafile: true,
  entryPoints: [join(root, 'src/cli/main.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  minify: true,
  keepNames: true,
  legalComments: 'none',
  plugins: [detectors],
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
await writeFile(join(root, 'dist/LICENSES.txt'), await notices(Object.keys(metafile.inputs)));
await chmod(outfile, 0o755);

/** Makes the one file that ships: `dist/dynamic-toolset.js`, with every library and all detectors in it. */
import { chmod, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { builtInDetectorFiles } from '../src/config/detector-files.ts';

const root = join(import.meta.dirname, '..');
const outfile = join(root, 'dist/dynamic-toolset.js');

/** The bundle has no folder to read detectors from, so their contents stand in it, parsed already. */
const detectors: Plugin = {
  name: 'detectors',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]src[\\/]config[\\/]detector-files\.ts$/ }, () => ({
      loader: 'js',
      contents: `const files = JSON.parse(${JSON.stringify(JSON.stringify(builtInDetectorFiles()))});
export const builtInDetectorFiles = () => files;`,
    }));
  },
};

await rm(join(root, 'dist'), { recursive: true, force: true });
await build({
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
await chmod(outfile, 0o755);

/** Plugins that the bundles of the program and of the library share. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Plugin } from 'esbuild';
import { builtInDetectors } from '../src/config/detector-files.ts';

const root = join(import.meta.dirname, '..');

/**
 * Replaces a module with JavaScript.
 * @param file the module, relative to the repository
 * @throws Error if the file does not exist, because a moved module would be bundled unchanged
 */
export function replaced(file: string, contents: string): Plugin {
  const path = join(root, file);
  if (!existsSync(path)) throw new Error(`the build replaces ${file}, which does not exist`);
  return {
    name: file,
    setup({ onLoad }) {
      onLoad({ filter: new RegExp(`${basename(file).replace('.', '\\.')}$`) }, (module) =>
        module.path === path ? { loader: 'js', contents } : undefined,
      );
    },
  };
}

/** Bundles the detectors, parsed and validated, because a bundle has no folder to read them from. */
export const detectors = replaced(
  'src/config/detector-files.ts',
  `export const builtInDetectors = () => JSON.parse(${JSON.stringify(JSON.stringify(builtInDetectors()))});`,
);

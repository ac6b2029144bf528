/** Plugins that the bundles of the program and of the library share. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Plugin } from 'esbuild';
import { builtInDetectors } from '../src/config/detector-files.ts';

const root = join(import.meta.dirname, '..');

/**
 * Puts JavaScript in the place of a module.
 * @param file the module, relative to the repository
 * @throws Error if there is no such file: a module that moved would come into the bundle as it is
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

/** A bundle has no folder to read detectors from, so it holds them, parsed and checked. */
export const detectors = replaced(
  'src/config/detector-files.ts',
  `export const builtInDetectors = () => JSON.parse(${JSON.stringify(JSON.stringify(builtInDetectors()))});`,
);

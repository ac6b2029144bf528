/** Checks the library as users install it: from a folder with the package in `node_modules`. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** The example in docs/library.md, and its documented output. */
export function libraryExample(): { readonly program: string; readonly output: string } {
  const page = readFileSync(join(root, 'docs/library.md'), 'utf8');
  const [, program, output] = /^```ts\n(import .*?)\n```.*?^```text\n(.*?)\n```/ms.exec(page) ?? [];
  if (program === undefined || output === undefined) throw new Error('docs/library.md has no example');
  return { program, output };
}

/** The compiler options of two fresh projects: one that runs in Node.js, one that is bundled. */
const PROJECTS = {
  nodenext: { module: 'nodenext' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
};

/**
 * Compiles a program that uses the library, checks declarations, and runs it with permission to read only the package.
 * @param folder has `node_modules/dynamic-toolset`
 * @returns what the program prints
 * @throws Error if it does not compile, or tries to read another file, or to start a process or thread
 */
export function checkLibrary(folder: string, program: string): string {
  const run = (command: string, args: readonly string[]): string => {
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`);
    return stdout;
  };
  for (const [name, options] of Object.entries(PROJECTS)) {
    const project = join(folder, name);
    mkdirSync(project);
    writeFileSync(join(project, 'package.json'), '{"type":"module"}');
    writeFileSync(join(project, 'example.ts'), program);
    const compilerOptions = { target: 'es2024', strict: true, types: [], skipLibCheck: false, ...options };
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
    run(join(root, 'node_modules/.bin/tsc'), ['-p', project]);
  }
  const example = join(folder, 'nodenext/example.js');
  return run(process.execPath, ['--permission', `--allow-fs-read=${realpathSync(folder)}`, example]);
}

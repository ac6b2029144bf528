/**
 * Builds the library: one self-contained module, and its declarations. As a program, it only checks that the library can
 * be bundled.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { detectors } from './build-plugins.ts';

const root = join(import.meta.dirname, '..');
const OPTIONS = {
  target: 'es2024',
  lib: ['es2024'],
  module: 'nodenext',
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  resolveJsonModule: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
  // `npm run check:types` checks them.
  noCheck: true,
  declaration: true,
  emitDeclarationOnly: true,
};

/**
 * Bundles the library, without a folder only in memory. For the platform `neutral`, esbuild resolves no modules of Node.js, so an import of one that is
 * not listed here fails: the library uses no network, no file system and no process.
 * @returns the files that are in the bundle
 */
async function bundleLibrary(folder?: string): Promise<readonly string[]> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { index: join(root, 'src/library/index.ts') },
    outdir: folder ?? root,
    write: folder !== undefined,
    bundle: true,
    metafile: true,
    platform: 'neutral',
    mainFields: ['module', 'main'],
    external: ['node:crypto'],
    target: 'es2024',
    format: 'esm',
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'warning',
    plugins: [detectors],
  });
  return Object.keys(metafile.inputs);
}

/** The imports of a declaration file. */
const importsOf = (text: string): string[] =>
  [...text.matchAll(/^(?:import|export|\}).* from '([^']+)'/gm)].map(([, from = '']) => from);

/** Rewrites the imports of a declaration file for the build. @throws Error if it needs a type that is not shipped */
function declaration(name: string, text: string): string {
  const far = importsOf(text).find((from) => !/^\.\/[a-z-]+\.ts$/.test(from));
  if (far !== undefined || text.includes('import('))
    throw new Error(`the library's ${name} needs types that are not shipped: ${far ?? 'an import()'}`);
  return text.replace(/^((?:import|export|\}).* from '\.\/[a-z-]+)\.ts'/gm, "$1.js'");
}

/** Keeps only the library's own declarations. The compiler writes those of all imported modules. */
function declareLibrary(folder: string): void {
  const work = mkdtempSync(join(root, 'node_modules/.library-'));
  try {
    const compilerOptions = { ...OPTIONS, rootDir: join(root, 'src'), outDir: join(work, 'out') };
    const files = [join(root, 'src/library/index.ts')];
    writeFileSync(join(work, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
    execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', work], { stdio: 'inherit' });
    const made = join(work, 'out/library');
    const texts = new Map(readdirSync(made).map((name) => [name, readFileSync(join(made, name), 'utf8')]));
    for (const name of reached('index.d.ts', texts))
      writeFileSync(join(folder, name), declaration(name, texts.get(name) ?? ''));
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** The declaration files that one imports, transitively. */
function reached(first: string, texts: ReadonlyMap<string, string>): ReadonlySet<string> {
  const found = new Set([first]);
  for (const name of found)
    for (const from of importsOf(texts.get(name) ?? '')) found.add(`${basename(from, '.ts')}.d.ts`);
  return found;
}

/**
 * Builds the library into an existing folder.
 * @returns the files that are in the bundle
 */
export async function buildLibrary(folder: string): Promise<readonly string[]> {
  const inputs = await bundleLibrary(folder);
  declareLibrary(folder);
  return inputs;
}

if (import.meta.main) await bundleLibrary();

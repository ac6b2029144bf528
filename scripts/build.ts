/**
 * Builds what ships: `dist/dynamic-toolset.js`, next to it the chunks that a command loads when it needs them, and the
 * library. They contain all dependencies and all detectors.
 */
import { chmod, copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { join, relative, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';
import packageJson from '../package.json' with { type: 'json' };
import { buildLibrary } from './build-library.ts';
import { detectors, replaced } from './build-plugins.ts';

const root = join(import.meta.dirname, '..');
/** The output folder: the argument, or `dist/`. */
const dist = resolve(root, process.argv[2] ?? 'dist');
const start = './src/cli/program.ts';

/** The files of the API page are next to the program. */
const pageFiles = replaced(
  'src/server/page-files.ts',
  `import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
export const pageFile = (name) => readFile(join(import.meta.dirname, '../page', name));`,
);

/** The served files of Swagger UI. */
const PAGE_FILES = ['swagger-ui.css', 'swagger-ui-bundle.js'];

/** The worker thread has its own bundle next to the program. */
const workerFile = replaced(
  'src/app/worker-file.ts',
  "export const WORKER_FILE = new URL('../text-worker.js', import.meta.url);",
);

/**
 * We use the Kubernetes client only to read kubeconfigs and to prepare requests. Its API clients depend on all models of
 * the API and another HTTP library, which nothing here calls: a megabyte that would be loaded all the same.
 */
const UNUSED: Readonly<Record<string, readonly string[]>> = {
  undici: ['Agent', 'ProxyAgent'],
  './gen/index.js': ['createConfiguration', 'ServerConfiguration'],
};

const unusedParts: Plugin = {
  name: 'unused-parts',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(undici|\.\/gen\/index\.js)$/ }, ({ path, importer }) =>
      /[\\/]@kubernetes[\\/]client-node[\\/]dist[\\/]config\.js$/.test(importer)
        ? { path, namespace: 'unused' }
        : undefined,
    );
    onLoad({ filter: /./, namespace: 'unused' }, ({ path }) => ({
      contents: (UNUSED[path] ?? [])
        .map(
          (name) =>
            `export function ${name}() { throw new Error('${name} of ${path} is not in this program'); }`,
        )
        .join('\n'),
    }));
  },
};

/** @throws Error if the bundle contains an unused package, for example after an upgrade moved a module */
function refuseUnused(inputs: readonly string[]): void {
  const found = inputs.find((input) =>
    /node_modules\/undici\/|client-node\/dist\/gen\/(apis|models)\//.test(input),
  );
  if (found !== undefined)
    throw new Error(
      `${found} is in the bundle, although nothing uses it; see unusedParts in scripts/build.ts`,
    );
}

const asked = (path: string): string => `process.getBuiltinModule(${JSON.stringify(path)})`;

/**
 * Loads Node.js modules without the ES module loader, which evaluates every export and so loads everything behind it: for
 * `node:http`, that is more than all of our own code.
 */
const nodeModules: Plugin = {
  name: 'node-modules',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /./ }, ({ path, kind }) => {
      if (!isBuiltin(path)) return undefined;
      if (kind === 'dynamic-import') return { path, external: true };
      return { path, namespace: kind === 'require-call' ? 'node-cjs' : 'node' };
    });
    onLoad({ filter: /./, namespace: 'node' }, ({ path }) => {
      const names = Object.keys(process.getBuiltinModule(path) ?? {}).filter((name) => name !== 'default');
      const exports = names.map((name) => `export const ${name} = /* @__PURE__ */ (() => all.${name})();`);
      return { contents: [`const all = ${asked(path)};\nexport default all;`, ...exports].join('\n') };
    });
    onLoad({ filter: /./, namespace: 'node-cjs' }, ({ path }) => ({
      contents: `module.exports = ${asked(path)};`,
    }));
  },
};

/**
 * Puts everything that the program loads at start into one chunk, which all later chunks import. Without it, esbuild
 * creates a chunk for each set of commands that share a module, and loading two dozen of them takes as long as running them.
 */
const sharedPart: Plugin = {
  name: 'shared-part',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /./ }, ({ path, kind, resolveDir }) => {
      if (kind !== 'dynamic-import') return undefined;
      // The names of chunks are derived from these paths, and must not depend on the location of the project.
      if (path.startsWith('.'))
        return { path: `./${relative(root, join(resolveDir, path))}`, namespace: 'later' };
      // A CommonJS package would lack its named exports.
      return {
        errors: [
          { text: `import ${path} statically in a file of our own, and import that file dynamically` },
        ],
      };
    });
    onLoad({ filter: /./, namespace: 'later' }, ({ path }) => ({
      contents: `import ${JSON.stringify(start)};\nexport * from ${JSON.stringify(path)};`,
      resolveDir: root,
    }));
  },
};

interface Bundled {
  readonly folder: string;
  readonly name: string;
  readonly version: string;
  readonly license: string;
}

/** The packages whose code is in the program, sorted by folder. */
async function bundled(inputs: readonly string[]): Promise<readonly Bundled[]> {
  const folders = new Set(
    inputs.flatMap((input) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? []),
  );
  return Promise.all(
    [...folders].sort().map(async (relativeFolder) => {
      const folder = join(root, relativeFolder);
      const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
      return { folder, name, version, license };
    }),
  );
}

/** The licence texts of the packages. */
async function notices(packages: readonly Bundled[]): Promise<string> {
  const texts = await Promise.all(
    packages.map(async ({ folder, name, version, license }) => {
      const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
      const text = file === undefined ? '' : `\n${(await readFile(join(folder, file), 'utf8')).trim()}\n`;
      return `${name} ${version} (${license})\n${text}`;
    }),
  );
  return `The program contains code of these packages.\n\n${texts.join(`\n${'-'.repeat(80)}\n\n`)}`;
}

/** The bill of materials, in CycloneDX 1.6. It has no timestamp, so that builds are reproducible. */
function billOfMaterials(packages: readonly Bundled[]): string {
  const purl = (name: string, version: string): string => `pkg:npm/${name.replace('@', '%40')}@${version}`;
  const { name, version } = packageJson;
  const bill = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { type: 'application', name, version, purl: purl(name, version) } },
    components: packages.map(({ name, version, license }) => ({
      type: 'library',
      'bom-ref': purl(name, version),
      name,
      version,
      purl: purl(name, version),
      // A single licence is an expression too, so this is valid for "MIT" and for "MIT OR Apache-2.0".
      licenses: [{ expression: license }],
    })),
  };
  return `${JSON.stringify(bill, undefined, 2)}\n`;
}

await rm(dist, { recursive: true, force: true });
const bundle = {
  absWorkingDir: root,
  metafile: true,
  outdir: dist,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  logLevel: 'warning',
} as const;
const { metafile } = await build({
  ...bundle,
  entryPoints: { 'dynamic-toolset': join(root, 'src/cli/main.ts') },
  chunkNames: 'parts/[name]-[hash]',
  splitting: true,
  plugins: [detectors, pageFiles, unusedParts, workerFile, nodeModules, sharedPart],
});
refuseUnused(Object.keys(metafile.inputs));
const worker = await build({
  ...bundle,
  entryPoints: { 'text-worker': join(root, 'src/app/text-worker.ts') },
  plugins: [nodeModules],
});
const library = join(dist, 'library');
await mkdir(library);
const libraryInputs = await buildLibrary(library);
// Allows copying the folder, for example into an image.
await writeFile(join(dist, 'package.json'), '{"type":"module"}\n');
const swagger = 'node_modules/swagger-ui-dist';
await mkdir(join(dist, 'page'));
for (const name of PAGE_FILES) await copyFile(join(root, swagger, name), join(dist, 'page', name));
const packages = await bundled([
  ...Object.keys(metafile.inputs),
  ...Object.keys(worker.metafile.inputs),
  ...libraryInputs,
  `${swagger}/package.json`,
]);
await writeFile(join(dist, 'LICENSES.txt'), await notices(packages));
await writeFile(join(dist, 'sbom.cdx.json'), billOfMaterials(packages));
await chmod(join(dist, 'dynamic-toolset.js'), 0o755);
const plugin = join(root, 'deploy/kubectl');
for (const name of await readdir(plugin)) {
  await copyFile(join(plugin, name), join(dist, name));
  await chmod(join(dist, name), 0o755);
}

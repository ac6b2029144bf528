/**
 * Creates the files of a release in one folder: the package, which Krew unpacks too, the manifest for Krew, the bill of
 * materials, and `SHA256SUMS`. `npm run release -- [--out FOLDER] [--downloads URL] [--homepage URL]`: the folder must be
 * empty, or contain an earlier release; `--downloads` is the URL that the files will be downloaded from, `--homepage`
 * the project's page. Only the publisher of a release knows them, so the defaults are addresses that do not exist.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import packageJson from '../package.json' with { type: 'json' };

const root = join(import.meta.dirname, '..');
const { values } = parseArgs({
  options: {
    out: { type: 'string', default: join(root, 'release') },
    downloads: { type: 'string', default: 'https://example.invalid/releases' },
    homepage: { type: 'string', default: 'https://example.invalid' },
  },
});
const { version } = packageJson;
const out = resolve(values.out);
const digest = async (name: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(join(out, name)))
    .digest('hex');

const before: readonly string[] = await readdir(out).catch(() => []);
if (before.length > 0 && !before.includes('SHA256SUMS')) {
  console.error(
    `${out} contains files that are not a release; choose another folder with --out, or empty it`,
  );
  process.exit(2);
}
await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
// npm packs the same files to the same bytes: names in order, one fixed time, no owner.
execFileSync('npm', ['pack', '--silent', '--pack-destination', out], { cwd: root, stdio: 'ignore' });
await copyFile(join(root, 'dist/sbom.cdx.json'), join(out, `dynamic-toolset-${version}.cdx.json`));

const known: Readonly<Record<string, string>> = {
  version,
  downloads: values.downloads,
  homepage: values.homepage,
  sha256: await digest(`dynamic-toolset-${version}.tgz`),
};
const template = await readFile(join(root, 'deploy/krew/toolset.yaml'), 'utf8');
const manifest = template
  .replace(/^#.*\n/gm, '')
  .replace(/\$\{(\w+)\}/g, (placeholder, name: string) => known[name] ?? placeholder);
await writeFile(join(out, 'toolset.yaml'), manifest);

const sums = await Promise.all(
  (await readdir(out)).sort().map(async (name) => `${await digest(name)}  ${name}\n`),
);
await writeFile(join(out, 'SHA256SUMS'), sums.join(''));
process.stdout.write(`${out}\n`);

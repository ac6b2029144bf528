/**
 * Makes the files of a release in one folder: the package, which is also what Krew unpacks, the manifest for Krew,
 * the bill of materials, and `SHA256SUMS`. `npm run release -- [--out FOLDER] [--downloads URL] [--homepage URL]`:
 * the folder must be empty, or hold an earlier release; downloads is the address of the folder that the files will
 * be in, homepage the project's page. Both are known to who publishes a release, so what stands there else is an
 * address that leads nowhere.
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
  console.error(`${out} holds files that are no release; name another folder with --out, or empty it`);
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

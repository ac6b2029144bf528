import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync } from 'node:fs';
import { mkdir, readFile, rename, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parse } from 'yaml';

/** What of a manifest for Krew says how a plugin is unpacked. */
interface Manifest {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly platforms: readonly {
      readonly uri: string;
      readonly sha256: string;
      readonly files: readonly { readonly from: string; readonly to: string }[];
      readonly bin: string;
    }[];
  };
}

/**
 * Installs a plugin as Krew does: checks the archive's digest, unpacks it, moves the files that the manifest lists, and
 * links its executable into a folder for PATH. The archive is taken from the folder of the manifest.
 * @returns the folder for PATH
 */
export async function krewInstall(release: string, root: string): Promise<string> {
  const manifest = parse(await readFile(join(release, 'toolset.yaml'), 'utf8')) as Manifest;
  const [platform] = manifest.spec.platforms;
  if (platform === undefined) throw new Error('the manifest has no platform');
  const archive = join(release, basename(platform.uri));
  const digest = createHash('sha256')
    .update(await readFile(archive))
    .digest('hex');
  if (digest !== platform.sha256) throw new Error(`${archive} is not what the manifest says`);

  const unpacked = join(root, 'unpacked');
  const store = join(root, 'store', manifest.metadata.name);
  const bin = join(root, 'bin');
  for (const folder of [unpacked, store, bin]) await mkdir(folder, { recursive: true });
  execFileSync('tar', ['-xzf', archive, '-C', unpacked]);
  for (const { from, to } of platform.files) {
    const found = globSync(from, { cwd: unpacked });
    if (found.length === 0) throw new Error(`nothing in the archive is ${from}`);
    for (const path of found) await rename(join(unpacked, path), join(store, to, basename(path)));
  }
  await symlink(join(store, platform.bin), join(bin, `kubectl-${manifest.metadata.name}`));
  return bin;
}

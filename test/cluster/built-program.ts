import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, glob, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '../..');
const CACHE = join(homedir(), '.cache', 'dynamic-toolset', 'built');
const MAIN = 'dynamic-toolset.js';
/** All that the build reads; the lock file stands for the libraries. */
const INPUTS = ['src/**/*', 'detectors/**/*', 'deploy/kubectl/*', 'scripts/build.ts', 'package{,-lock}.json'];
/** Builds that no run has used for this long are removed, in milliseconds. */
const UNUSED_MS = 2 * 24 * 3_600_000;

export interface BuiltProgram {
  /** The program's main file. Its folder belongs to this run alone. */
  readonly path: string;
  readonly remove: () => Promise<void>;
}

/**
 * The program as it ships, in a folder of this run's own: a copy from the cache where the same sources have been built
 * before, otherwise a new build. A cache that cannot be read or written only costs time.
 *
 * Throws what the build says where it fails.
 */
export async function builtProgram(cache = CACHE): Promise<BuiltProgram> {
  const folder = await mkdtemp(join(tmpdir(), 'dynamic-toolset-program-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const kept = join(cache, await digestOf(INPUTS));
  if (!(await taken(kept, folder))) {
    await promisify(execFile)(process.execPath, [join(ROOT, 'scripts/build.ts'), folder]);
    await keep(folder, kept).catch(() => {});
    await removeUnused(cache).catch(() => {});
  }
  return { path: join(folder, MAIN), remove };
}

/** Names what is built: the inputs, their paths, and the Node.js that builds. */
async function digestOf(patterns: readonly string[]): Promise<string> {
  const files: string[] = [];
  for await (const entry of glob(patterns, { cwd: ROOT, withFileTypes: true })) {
    const isTest = entry.name.endsWith('.test.ts');
    if (entry.isFile() && !isTest) files.push(join(entry.parentPath, entry.name));
  }
  const hash = createHash('sha256').update(process.version);
  for (const file of files.sort()) {
    const content = await readFile(file);
    hash.update(`\0${file.slice(ROOT.length)}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex').slice(0, 20);
}

/** Copies a build that was kept. @returns whether there was one */
async function taken(kept: string, folder: string): Promise<boolean> {
  try {
    await cp(kept, folder, { recursive: true });
    await stat(join(folder, MAIN));
    await utimes(kept, new Date(), new Date());
    return true;
  } catch {
    return false;
  }
}

/** Keeps a build. It appears whole or not at all; where another run was faster, that run's stays. */
async function keep(folder: string, kept: string): Promise<void> {
  const draft = `${kept}.${process.pid}`;
  await mkdir(join(kept, '..'), { recursive: true });
  try {
    await cp(folder, draft, { recursive: true });
    await rename(draft, kept);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function removeUnused(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    const path = join(cache, name);
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > UNUSED_MS) await rm(path, { recursive: true, force: true });
  }
}

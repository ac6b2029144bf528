import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Interrupted } from './child.ts';
import { fileProblem } from './executables.ts';
import { type GoSource, goBuild } from './go-build.ts';
import { processExists, withLock } from './lock.ts';
import { type Report, streamReport } from './report.ts';

/** A program that tests need, built from a pinned Go module. */
export interface GoProgram extends GoSource {
  /** Arguments that make it tell its version and end with 0. */
  readonly versionArguments: readonly string[];
}

export interface GoProgramOptions {
  /** Where PATH is read. The process's own environment unless given. */
  readonly env?: NodeJS.ProcessEnv;
  /** Where built programs are kept. `~/.cache/dynamic-toolset/programs` unless given. */
  readonly cacheFolder?: string;
  /** Where to tell what is done. Standard error unless given. */
  readonly report?: Report;
}

/** A program could not be had; the message says why, in words that fit a skipped test. */
export class NoProgram extends Error {
  override readonly name = 'NoProgram';
}

const BUILD_PREFIX = '.build-';

/**
 * The path of a program: from the cache, else built there by go, which takes minutes the first time. The cache knows
 * it by what is built and with which versions, system and processor. Safe to run twice at once, and to interrupt.
 *
 * Throws `NoProgram` where it can be neither found nor built, and `Interrupted` where a signal stopped it.
 */
export async function goProgram(program: GoProgram, options: GoProgramOptions = {}): Promise<string> {
  const env = options.env ?? process.env;
  const report = options.report ?? streamReport(process.stderr, undefined, program.name);
  const cache = options.cacheFolder ?? join(homedir(), '.cache', 'dynamic-toolset', 'programs');
  const folder = join(cache, await folderName(program));
  const target = join(folder, program.name);
  const isThere = async (): Promise<boolean> =>
    (await fileProblem(target, program.versionArguments)) === undefined;

  if (await isThere()) return target;
  const waitFor = (pid: number): void => report.say(`process ${pid} is building the same; waiting for it`);
  return withLock(`${folder}.lock`, waitFor, async () => {
    if (await isThere()) return target;
    await removeLeftovers(folder);
    report.say('building from source with go: minutes the first time, seconds once go has its cache');
    try {
      await buildInto(folder, program, env, report);
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      throw new NoProgram(`no ${program.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
    return target;
  });
}

/** The program gets its final name when it is whole and was seen to run. */
async function buildInto(
  folder: string,
  program: GoProgram,
  env: NodeJS.ProcessEnv,
  report: Report,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const work = await mkdtemp(join(folder, `${BUILD_PREFIX}${process.pid}-`));
  const draft = join(work, program.name);
  try {
    // A workspace file in a folder above would replace the pinned module.
    await goBuild(program, draft, { ...env, GOWORK: 'off', GOTMPDIR: work }, report);
    const problem = await fileProblem(draft, program.versionArguments);
    if (problem !== undefined) throw new Error(`go built it, but ${problem}`);
    await rename(draft, join(folder, program.name));
  } finally {
    // Compilers that were killed a moment ago may still have a file open: hence the retries.
    await rm(work, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function folderName({ name, packagePath, moduleFolder, variables = {} }: GoProgram): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([packagePath, variables]));
  for (const file of ['go.mod', 'go.sum']) hash.update(await readFile(join(moduleFolder, file)));
  return `${name}-${process.platform}-${process.arch}-${hash.digest('hex').slice(0, 10)}`;
}

/** What builds that were killed outright left behind; a living one's folder carries its process id. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.startsWith(BUILD_PREFIX)) continue;
    const pid = Number.parseInt(name.slice(BUILD_PREFIX.length), 10);
    if (pid !== process.pid && processExists(pid)) continue;
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

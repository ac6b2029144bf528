import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runChild } from './child.ts';
import { BINARIES, type Binary, fileProblem } from './executables.ts';
import { type Report, seconds } from './report.ts';

/** This step's temporary folder, `.build-<process id>-<random>`: go works and writes in it. */
export const BUILD_PREFIX = '.build-';

const PACKAGES: Readonly<Record<Binary, string>> = {
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  etcd: 'go.etcd.io/etcd/server/v3',
};

/**
 * Builds whichever of the two programs `folder` lacks, from the Go module in `moduleFolder`. Each gets its
 * final name when it is whole and was seen to run; an interrupted build leaves nothing in `folder`, and the
 * next goes on from go's own build cache.
 *
 * Throws an `Error` with go's last words, or with the advice to install it; or `Interrupted`.
 */
export async function buildBinaries(
  moduleFolder: string,
  folder: string,
  env: NodeJS.ProcessEnv,
  report: Report,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const work = await mkdtemp(join(folder, `${BUILD_PREFIX}${process.pid}-`));
  // A workspace file in a folder above would replace the pinned module. An interrupted go leaves some hundred
  // megabytes in its temporary folder, so it gets one that we remove.
  const goEnv = { ...env, GOWORK: 'off', GOTMPDIR: work };
  try {
    // The small one first: what can go wrong, goes wrong sooner.
    for (const binary of [...BINARIES].reverse()) {
      const target = join(folder, binary);
      if ((await fileProblem(target)) === undefined) {
        report.say(`${binary} is there already, from an earlier run`);
        continue;
      }
      const draft = join(work, binary);
      await build(binary, draft, moduleFolder, goEnv, report);
      await rename(draft, target);
    }
  } finally {
    // Compilers that were killed a moment ago may still have a file open: hence the retries.
    await rm(work, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function build(
  binary: Binary,
  draft: string,
  moduleFolder: string,
  env: NodeJS.ProcessEnv,
  report: Report,
): Promise<void> {
  const started = Date.now();
  const task = report.task(`building ${binary}`);
  let packages = 0;
  try {
    const args = ['build', '-v', '-trimpath', '-ldflags=-s -w', '-o', draft, PACKAGES[binary]];
    const result = await runChild('go', args, {
      cwd: moduleFolder,
      env,
      onLine(line) {
        // With -v go names each package it compiles; everything else it says starts with "go: ".
        if (!line.startsWith('go: ')) packages += 1;
        task.at(`${packages} packages compiled, ${line}`);
      },
    });
    if (result.code !== 0) throw new Error(goFailed(binary, result.code, result.tail));
    const problem = await fileProblem(draft);
    if (problem !== undefined) throw new Error(`go built ${binary}, but ${problem}`);
  } catch (error) {
    throw explained(error);
  } finally {
    task.end();
  }
  report.say(`built ${binary} in ${seconds(started)} s`);
}

function goFailed(binary: Binary, code: number, tail: readonly string[]): string {
  const said = tail.slice(-8).map((line) => `      ${line}`);
  return [`go could not build ${binary} (exit code ${code}); it said:`, ...said].join('\n');
}

function explained(error: unknown): unknown {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) return error;
  return new Error('there is no "go" on PATH');
}

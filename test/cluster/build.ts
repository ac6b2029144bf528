import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BINARIES, type Binary, fileProblem } from './executables.ts';
import { goBuild } from './go-build.ts';
import type { Report } from './report.ts';

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
      await goBuild({ name: binary, packagePath: PACKAGES[binary], moduleFolder }, draft, goEnv, report);
      const problem = await fileProblem(draft);
      if (problem !== undefined) throw new Error(`go built ${binary}, but ${problem}`);
      await rename(draft, target);
    }
  } finally {
    // Compilers that were killed a moment ago may still have a file open: hence the retries.
    await rm(work, { recursive: true, force: true, maxRetries: 5 });
  }
}

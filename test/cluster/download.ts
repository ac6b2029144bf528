import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runChild } from './child.ts';
import { BINARIES, folderProblem } from './executables.ts';
import type { Report } from './report.ts';

export interface DownloadOptions {
  /** Address of the release index, where it is not the one of the upstream project. */
  readonly indexUrl?: string;
  /** How long until the index must have answered, in milliseconds. */
  readonly contactMs?: number;
  /** How long the whole download may take, in milliseconds. */
  readonly totalMs?: number;
}

/** Temporary folders of this step, each removed at its end. */
export const DOWNLOAD_PREFIX = '.download-';

const CONTACT_MS = 10_000;
const TOTAL_MS = 120_000;

/**
 * Downloads the newest ready-made programs of a Kubernetes minor version (`1.36`) into `folder`, checked by
 * their SHA-512. Nothing appears in `folder` under its final name before it is whole and was seen to run.
 *
 * Throws an `Error` with the reason (no network, time limit passed, no such version), or `Interrupted`.
 */
export async function downloadBinaries(
  minor: string,
  folder: string,
  env: NodeJS.ProcessEnv,
  report: Report,
  options: DownloadOptions = {},
): Promise<void> {
  const contactMs = options.contactMs ?? CONTACT_MS;
  const totalMs = options.totalMs ?? TOTAL_MS;
  await mkdir(folder, { recursive: true });
  const staging = await mkdtemp(join(folder, `${DOWNLOAD_PREFIX}${process.pid}-`));
  const limit = new AbortController();
  const abortAfter = (ms: number, what: string): NodeJS.Timeout =>
    setTimeout(() => limit.abort(new Error(`${what} within ${ms / 1000} s`)), ms);
  const contact = abortAfter(contactMs, 'the release index did not answer');
  const total = abortAfter(totalMs, 'the download was not complete');
  const task = report.task('downloading');
  try {
    let found: string | undefined;
    const worker = fileURLToPath(new URL('./download-worker.ts', import.meta.url));
    const index = options.indexUrl === undefined ? [] : [options.indexUrl];
    const result = await runChild(process.execPath, [worker, minor, staging, ...index], {
      env: workerEnv(env),
      abort: limit.signal,
      onLine(line) {
        clearTimeout(contact);
        task.at(line);
        if (line.startsWith('folder ')) found = line.slice('folder '.length);
      },
    });
    if (result.code !== 0 || found === undefined) {
      throw new Error(result.tail.at(-1) ?? `the download ended with code ${result.code} and said nothing`);
    }
    const problem = await folderProblem(found);
    if (problem !== undefined) throw new Error(`what was downloaded is of no use: ${problem}`);
    for (const binary of BINARIES) await rename(join(found, binary), join(folder, binary));
  } finally {
    task.end();
    clearTimeout(contact);
    clearTimeout(total);
    await rm(staging, { recursive: true, force: true });
  }
}

/** The library would take programs from these variables instead of the download; those were looked at before. */
function workerEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const {
    KUBEBUILDER_ASSETS: _folder,
    TEST_ASSET_ETCD: _etcd,
    TEST_ASSET_KUBE_APISERVER: _apiServer,
    TEST_ASSET_KUBECTL: _kubectl,
    ...rest
  } = env;
  return { NODE_USE_ENV_PROXY: '1', ...rest };
}

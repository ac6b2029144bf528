import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The programs of a test control plane. */
export const BINARIES = ['kube-apiserver', 'etcd'] as const;
export type Binary = (typeof BINARIES)[number];

/** How long a program may take to tell its version on a busy machine, in milliseconds. */
const VERSION_LIMIT_MS = 30_000;

/**
 * Why a folder cannot be used as a control plane, in words which fit after "passed over: ", or `undefined`
 * where it holds both programs and both run.
 */
export async function folderProblem(folder: string): Promise<string | undefined> {
  if ((await stat(folder).catch(() => undefined)) === undefined) return `${folder} does not exist`;
  const problems = await Promise.all(BINARIES.map((binary) => fileProblem(join(folder, binary))));
  const found = problems.filter((problem) => problem !== undefined);
  return found.length === 0 ? undefined : found.join('; ');
}

/**
 * Why a file cannot be used as a program, or `undefined`: it must be executable and run here. It is run with
 * arguments that make it tell its version and end.
 */
export async function fileProblem(
  file: string,
  versionArguments: readonly string[] = ['--version'],
): Promise<string | undefined> {
  const status = await stat(file).catch(() => undefined);
  if (status === undefined) return `${file} does not exist`;
  if (!status.isFile()) return `${file} is not a file`;
  try {
    await access(file, constants.X_OK);
  } catch {
    return `${file} is not executable`;
  }
  try {
    await promisify(execFile)(file, [...versionArguments], {
      timeout: VERSION_LIMIT_MS,
      killSignal: 'SIGKILL',
    });
  } catch (error) {
    return `${file} does not run here (${firstLine(error)})`;
  }
  return undefined;
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n', 1)[0] ?? text;
}

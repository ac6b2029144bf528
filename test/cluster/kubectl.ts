import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type GoProgramOptions, goProgram } from './go-program.ts';

/** The oldest minor version of Kubernetes 1 whose kubectl is taken as it is found. */
const OLDEST_MINOR = 28;

export interface KubectlOptions extends GoProgramOptions {
  /** The pinned Go module. `test/kubectl` unless given. */
  readonly moduleFolder?: string;
}

/**
 * The path of a real kubectl: of the folder KUBEBUILDER_ASSETS, else of PATH, each if it is 1.28 or newer; else it is
 * built from a pinned module and kept in the cache.
 *
 * Throws `NoProgram` where there is none and it cannot be built, and `Interrupted`.
 */
export async function kubectl(options: KubectlOptions = {}): Promise<string> {
  const env = options.env ?? process.env;
  const folders = [env.KUBEBUILDER_ASSETS, ...(env.PATH ?? '').split(':')];
  for (const folder of folders) {
    if (folder === undefined || folder === '') continue;
    const file = join(resolve(folder), 'kubectl');
    if (await isRecent(file)) return file;
  }
  const moduleFolder = options.moduleFolder ?? fileURLToPath(new URL('../kubectl', import.meta.url));
  return goProgram(
    {
      name: 'kubectl',
      packagePath: 'k8s.io/kubernetes/cmd/kubectl',
      moduleFolder,
      variables: await versionVariables(moduleFolder),
      versionArguments: ['version', '--client'],
    },
    options,
  );
}

async function isRecent(file: string): Promise<boolean> {
  try {
    const { stdout } = await promisify(execFile)(file, ['version', '--client', '-o', 'json'], {
      timeout: 30_000,
      killSignal: 'SIGKILL',
    });
    const { clientVersion } = JSON.parse(stdout) as { clientVersion: { major: string; minor: string } };
    return clientVersion.major === '1' && Number.parseInt(clientVersion.minor, 10) >= OLDEST_MINOR;
  } catch {
    return false;
  }
}

/** Kubernetes takes its version from the linker; without that kubectl says `v0.0.0-master`. */
async function versionVariables(moduleFolder: string): Promise<Readonly<Record<string, string>>> {
  const file = join(moduleFolder, 'go.mod');
  const found = /k8s\.io\/kubernetes (v(\d+)\.(\d+)\.\d+)/.exec(await readFile(file, 'utf8'));
  const [, version, major, minor] = found ?? [];
  if (version === undefined || major === undefined || minor === undefined) {
    throw new Error(`${file} must require k8s.io/kubernetes at a version`);
  }
  return {
    'k8s.io/component-base/version.gitVersion': version,
    'k8s.io/component-base/version.gitMajor': major,
    'k8s.io/component-base/version.gitMinor': minor,
  };
}

import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type GoProgramOptions, goProgram } from './go-program.ts';

/** The oldest minor version of Helm 3 that is taken as it is found. */
const OLDEST_MINOR = 14;

const CHARTUTIL = 'helm.sh/helm/v3/pkg/chartutil';

/**
 * The path of a real Helm 3: of PATH if it is 3.14 or newer; else it is built from the module in `test/helm`, and
 * kept in the cache.
 *
 * Throws `NoProgram` where there is none and it cannot be built, and `Interrupted`.
 */
export async function helmProgram(options: GoProgramOptions = {}): Promise<string> {
  for (const folder of ((options.env ?? process.env).PATH ?? '').split(':')) {
    const file = join(resolve(folder), 'helm');
    if (folder !== '' && (await isRecent(file))) return file;
  }
  return goProgram(
    {
      name: 'helm',
      packagePath: 'helm.sh/helm/v3/cmd/helm',
      moduleFolder: fileURLToPath(new URL('../helm', import.meta.url)),
      // Helm renders for this version where there is no cluster; without the linker's word it is 1.20.
      variables: { [`${CHARTUTIL}.k8sVersionMajor`]: '1', [`${CHARTUTIL}.k8sVersionMinor`]: '36' },
      versionArguments: ['version'],
    },
    options,
  );
}

async function isRecent(file: string): Promise<boolean> {
  try {
    const { stdout } = await promisify(execFile)(file, ['version', '--template', '{{.Version}}'], {
      timeout: 30_000,
      killSignal: 'SIGKILL',
    });
    const minor = /^v3\.(\d+)\./.exec(stdout)?.[1];
    return minor !== undefined && Number(minor) >= OLDEST_MINOR;
  } catch {
    return false;
  }
}

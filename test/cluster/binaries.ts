import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BUILD_PREFIX, buildBinaries } from './build.ts';
import { Interrupted } from './child.ts';
import { DOWNLOAD_PREFIX, type DownloadOptions, downloadBinaries } from './download.ts';
import { BINARIES, folderProblem } from './executables.ts';
import { processExists, withLock } from './lock.ts';
import { type Report, streamReport } from './report.ts';

export interface ControlPlaneOptions {
  /** Where KUBEBUILDER_ASSETS and PATH are read. The process's own environment unless given. */
  readonly env?: NodeJS.ProcessEnv;
  /** Where prepared programs are kept. `~/.cache/dynamic-toolset/control-plane` unless given. */
  readonly cacheFolder?: string;
  /** The pinned Go module. `test/control-plane` unless given. */
  readonly moduleFolder?: string;
  /** `false` leaves the download out. */
  readonly download?: DownloadOptions | false;
  /** Where to tell what is done. Standard error unless given. */
  readonly report?: Report;
}

/** No step gave a control plane; the message says why each failed and what to do. */
export class NoControlPlane extends Error {
  override readonly name = 'NoControlPlane';
}

/**
 * The folder of the two programs of a test control plane, `kube-apiserver` and `etcd`, which it prepares where
 * it has to: KUBEBUILDER_ASSETS, else the cache, else a download, else a build from source (6 to 14 minutes
 * the first time). Safe to run twice at once, and to interrupt.
 *
 * Throws `NoControlPlane` where no step worked, and `Interrupted` where a signal stopped it.
 */
export async function controlPlaneBinaries(options: ControlPlaneOptions = {}): Promise<string> {
  const env = options.env ?? process.env;
  const report = options.report ?? streamReport();
  const moduleFolder = options.moduleFolder ?? fileURLToPath(new URL('../control-plane', import.meta.url));
  const pin = await readPin(moduleFolder);
  const cacheFolder = options.cacheFolder ?? join(homedir(), '.cache', 'dynamic-toolset', 'control-plane');
  const folder = join(cacheFolder, pin.key);
  const passedOver: string[] = [];
  const passOver = (step: string, why: string): void => {
    report.say(`${step} passed over: ${why}`);
    passedOver.push(`${step}: ${why}`);
  };

  const given = env.KUBEBUILDER_ASSETS;
  if (given === undefined || given === '') {
    passOver('KUBEBUILDER_ASSETS', 'not set');
  } else {
    const assets = resolve(given);
    const problem = await folderProblem(assets);
    if (problem === undefined) {
      report.say(`using KUBEBUILDER_ASSETS, ${assets}`);
      return assets;
    }
    passOver('KUBEBUILDER_ASSETS', problem);
  }

  const uncached = await folderProblem(folder);
  if (uncached === undefined) {
    report.say(`using the cache, ${folder}`);
    return folder;
  }
  passOver('cache', uncached);

  const waitFor = (pid: number): void =>
    report.say(`process ${pid} is preparing the same programs; waiting for it`);
  return withLock(`${folder}.lock`, waitFor, async () => {
    if ((await folderProblem(folder)) === undefined) {
      report.say(`using what the other run prepared, ${folder}`);
      return folder;
    }
    await removeLeftovers(folder);

    if (options.download === false) {
      passOver('download', 'left out, as told');
    } else {
      report.say(`trying the download of ready-made programs, Kubernetes ${pin.minor}`);
      try {
        await downloadBinaries(pin.minor, folder, env, report, options.download);
        report.say(`downloaded to ${folder}`);
        return folder;
      } catch (error) {
        if (error instanceof Interrupted) throw error;
        passOver('download', messageOf(error));
      }
    }

    report.say('building from source with go: 6 to 14 minutes the first time, seconds once go has its cache');
    try {
      await buildBinaries(moduleFolder, folder, env, report);
      return folder;
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      passedOver.push(`build: ${messageOf(error)}`);
      throw new NoControlPlane(nothingWorked(passedOver, moduleFolder, pin.go));
    }
  });
}

interface Pin {
  /** Names the cache folder: changes with the versions, the system and the processor. */
  readonly key: string;
  /** Kubernetes' minor version, `1.36`. */
  readonly minor: string;
  /** The oldest Go that can build it, `1.26`. */
  readonly go: string;
}

async function readPin(moduleFolder: string): Promise<Pin> {
  const file = join(moduleFolder, 'go.mod');
  const [mod, sum] = await Promise.all([
    readFile(file, 'utf8'),
    readFile(join(moduleFolder, 'go.sum'), 'utf8'),
  ]);
  const minor = /k8s\.io\/kubernetes v(\d+\.\d+)\./.exec(mod)?.[1];
  const go = /^go (\d+\.\d+)/m.exec(mod)?.[1];
  if (minor === undefined || go === undefined) {
    throw new Error(`${file} must have a "go" line and require k8s.io/kubernetes at a version`);
  }
  const hash = createHash('sha256').update(mod).update(sum).digest('hex').slice(0, 10);
  return { key: `${minor}-${process.platform}-${process.arch}-${hash}`, minor, go };
}

/** What runs that were killed outright left behind; a living run's files carry its process id. */
async function removeLeftovers(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const prefix = [BUILD_PREFIX, DOWNLOAD_PREFIX].find((known) => name.startsWith(known));
    if (prefix === undefined) continue;
    const pid = Number.parseInt(name.slice(prefix.length), 10);
    if (pid !== process.pid && processExists(pid)) continue;
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

function nothingWorked(passedOver: readonly string[], moduleFolder: string, go: string): string {
  return [
    `no test control plane: ${BINARIES.join(' and ')} could be neither found nor made.`,
    ...passedOver.map((line) => `  - ${line}`),
    'Do one of these, then run it again:',
    `  - install Go ${go} or newer (https://go.dev/dl), with access to a Go module proxy; it builds ${moduleFolder}`,
    '  - set KUBEBUILDER_ASSETS to a folder with both programs, as made by "setup-envtest use -p path"',
    '  - allow access to github.com and raw.githubusercontent.com, from where they can be downloaded',
  ].join('\n');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

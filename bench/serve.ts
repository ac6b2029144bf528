import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import {
  createServiceAccount,
  type ServiceAccount,
  type ServiceAccountSpec,
  writeKubeconfig,
} from '../test/cluster/service-account.ts';
import { PUBLISHING, WATCHING } from '../test/integration/rights.ts';
import type { Lab } from './lab.ts';
import { type Measured, startMeasured } from './process.ts';
import type { BenchService } from './services.ts';

export const CONFIG_MAP = 'kubernaut-toolset-config';

/** The environment that the chart and the image set. */
const DEPLOYED = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '65536',
  MALLOC_TRIM_THRESHOLD_: '65536',
};

/**
 * Settings of `serve`: all namespaces, direct probes, room for backends beside the 1,000 that the largest cluster has, and a
 * short hold of removals, because backends often come and go.
 */
const SETTINGS = { NAMESPACES: '*', PROBE: 'direct', MAX_BACKENDS: '2000', REMOVAL_HOLD: '1s' };

let targets = 0;

/** A namespace to publish into, and credentials with the minimum permissions for that. */
export interface Target {
  readonly namespace: string;
  readonly account: ServiceAccount;
  readonly kubeconfig: string;
  /** Path of a configuration file whose `connectTo` leads to the backends. */
  readonly config: string;
  readonly env: Readonly<Record<string, string>>;
}

interface TargetOptions {
  /** URL of a proxy to the API server, without TLS; by default, the API server itself. */
  readonly server?: string;
  /** Services that never answer. */
  readonly dead?: readonly BenchService[];
  /** Cluster-wide permissions in addition to watching. */
  readonly clusterRules?: NonNullable<ServiceAccountSpec['clusterRules']>;
}

export async function newTarget(
  lab: Lab,
  services: readonly BenchService[],
  { server, dead = [], clusterRules = [] }: TargetOptions = {},
): Promise<Target> {
  const cluster = await lab.cluster();
  const namespace = `target-${++targets}`;
  await cluster.namespace(namespace);
  const account = await createServiceAccount(cluster.admin, {
    namespace,
    rulesIn: { [namespace]: PUBLISHING },
    clusterRules: [...WATCHING, ...clusterRules],
  });
  const backends = await lab.backends();
  const connectTo = [...backends.connectTo(services), ...backends.connectToDead(dead)];
  const config = JSON.stringify({ connectTo });
  const direct = await writeKubeconfig(cluster.connection, cluster.admin, account);
  return {
    namespace,
    account,
    kubeconfig:
      server === undefined ? direct : await lab.file(`${namespace}.kubeconfig`, await plain(direct, server)),
    config: await lab.file(`${namespace}.yaml`, config),
    env: { ...SETTINGS, CONFIGMAP_NAMESPACE: namespace },
  };
}

/** The text of a kubeconfig, with another server and without TLS. */
async function plain(path: string, server: string): Promise<string> {
  const content = parse(await readFile(path, 'utf8'));
  const cluster = { server, 'insecure-skip-tls-verify': true };
  return stringify({ ...content, clusters: [{ name: content.clusters[0].name, cluster }] });
}

/** The flags of Node.js in the image. */
async function flagsOfImage(): Promise<string[]> {
  const recipe = await readFile(join(import.meta.dirname, '../Containerfile'), 'utf8');
  const [, words = '[]'] = /^ENTRYPOINT (.*)$/m.exec(recipe) ?? [];
  return (JSON.parse(words) as string[]).filter((word) => word.startsWith('--'));
}

/** Starts the built `serve` as the image does. */
export async function startDeployed(
  lab: Lab,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Measured> {
  return startMeasured([...(await flagsOfImage()), await lab.program(), 'serve', ...args], {
    ...DEPLOYED,
    ...env,
  });
}

/** Starts `serve`, and waits until it has published. */
export async function startServe(lab: Lab, target: Target): Promise<Measured> {
  const serve = await startDeployed(lab, ['--config', target.config], {
    ...target.env,
    KUBECONFIG: target.kubeconfig,
  });
  try {
    await serve.said('toolset published');
  } catch (error) {
    await serve.stop();
    throw error;
  }
  return serve;
}

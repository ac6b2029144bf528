import { readFile } from 'node:fs/promises';
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

/** What the chart sets in the environment of `serve`, for a measurement of memory. */
export const DEPLOYED = { MALLOC_ARENA_MAX: '1' };

/**
 * How `serve` looks at the cluster here: all of it, asking the backends themselves. Backends come and go often, which would be
 * held as a mass removal otherwise.
 */
const SETTINGS = { NAMESPACES: '*', PROBE: 'direct', REMOVAL_HOLD: '1s' };

let targets = 0;

/** A namespace to publish into, and credentials with the least rights that the program needs for that. */
export interface Target {
  readonly namespace: string;
  readonly account: ServiceAccount;
  readonly kubeconfig: string;
  /** Path of a configuration file whose `connectTo` leads to the backends. */
  readonly config: string;
  readonly env: Readonly<Record<string, string>>;
}

interface TargetOptions {
  /** Where the API server is asked without TLS, where that is not directly. */
  readonly server?: string;
  /** Rights in the whole cluster beside those to look at it. */
  readonly clusterRules?: NonNullable<ServiceAccountSpec['clusterRules']>;
}

export async function newTarget(
  lab: Lab,
  services: readonly BenchService[],
  { server, clusterRules = [] }: TargetOptions = {},
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
  const config = JSON.stringify({ connectTo: backends.connectTo(services) });
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

/** A kubeconfig's text that leads to another server, without TLS. */
async function plain(path: string, server: string): Promise<string> {
  const content = parse(await readFile(path, 'utf8'));
  const cluster = { server, 'insecure-skip-tls-verify': true };
  return stringify({ ...content, clusters: [{ name: content.clusters[0].name, cluster }] });
}

/** Starts the built `serve`, and waits until it has published. */
export async function startServe(lab: Lab, target: Target): Promise<Measured> {
  const serve = startMeasured([await lab.program(), 'serve', '--config', target.config], {
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

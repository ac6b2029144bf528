import { builtInDetectorFiles } from '../config/detector-files.ts';
import { ORIGINS, readSettings, type SettingName, type Settings } from '../config/settings.ts';
import { rulesFromFiles } from '../detect/parse.ts';
import { probeKinds, type Stages } from '../engine/pass.ts';
import type { Kube } from '../kube/connection.ts';
import { EXIT, UserError } from '../model/exit.ts';
import { directFetch } from '../probe/direct.ts';
import { directExchange } from '../probe/kafka.ts';
import { createProber, noProber, type Prober, type Route } from '../probe/prober.ts';
import { manifestSource } from '../source/manifests.ts';
import type { Source } from '../source/source.ts';
import type { Output } from './output.ts';

/** What the command line gives to a command. */
export interface Invocation {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: NodeJS.ReadableStream;
  readonly output: Output;
  readonly version: string;
  readonly signal: AbortSignal;
}

/** Flags that choose the input and how it is probed, as the parser of the command line gives them. */
export interface InputFlags {
  readonly filename?: string[];
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly connectTo?: string[];
}

/** Settings from flags and environment. @throws UserError naming what is wrong with them */
export function settingsOf(flags: InputFlags & Readonly<Record<string, unknown>>, run: Invocation): Settings {
  const texts: Partial<Record<SettingName, string>> = {};
  for (const name of Object.keys(ORIGINS) as SettingName[]) {
    const value = flags[name];
    if (typeof value === 'string') texts[name] = value;
  }
  if (flags.connectTo !== undefined) texts.connectTo = flags.connectTo.join(',');
  if (flags.namespace !== undefined) texts.namespaces = flags.namespace;
  if (flags.allNamespaces === true) {
    if (flags.namespace !== undefined)
      throw new UserError(
        '--namespace and --all-namespaces exclude each other; give one of them',
        EXIT.usage,
      );
    texts.namespaces = '*';
  }
  return readSettings(texts, run.env);
}

/** The input of a command: a folder of manifests is a cluster as good as a live one. */
export interface Input {
  readonly source: Source;
  /** The connection to the cluster, where that is the input or is needed to publish. */
  readonly kube: Kube | undefined;
  /** For messages: where Services were looked for. */
  readonly where: string;
}

/** Opens the connection to the cluster that flags and environment name. @throws UserError */
export async function openCluster(flags: InputFlags, run: Invocation): Promise<Kube> {
  const { connect } = await import('../kube/connection.ts');
  const origin = flags.kubeconfig ?? run.env.KUBECONFIG ?? '~/.kube/config';
  return connect({ kubeconfig: flags.kubeconfig, origin, context: flags.context });
}

/** The input that the flags name. `follow`: keep looking, at least each discovery interval. */
export async function openInput(
  flags: InputFlags,
  settings: Settings,
  run: Invocation,
  follow: boolean,
): Promise<Input> {
  const interval = settings.discoveryInterval;
  if (flags.filename !== undefined && flags.filename.length > 0) {
    const chosen = flags.namespace === undefined ? [] : settings.namespaces.filter((name) => name !== '*');
    return {
      kube: undefined,
      where: flags.filename.join(', '),
      source: manifestSource({
        paths: flags.filename,
        namespaces: chosen,
        defaultNamespace: chosen.length === 1 ? (chosen[0] ?? 'default') : 'default',
        follow: follow ? { interval } : undefined,
        stdin: run.stdin,
      }),
    };
  }
  const kube = await openCluster(flags, run);
  const { clusterSource } = await import('../source/cluster.ts');
  const where = settings.namespaces.includes('*')
    ? 'all namespaces'
    : `namespaces ${settings.namespaces.join(', ')}`;
  return { kube, where, source: clusterSource(kube, { namespaces: settings.namespaces, interval }) };
}

/** The route to the backends: as told, else the one that works from here. */
async function routeOf(settings: Settings, input: Input): Promise<Route | undefined> {
  const { kube } = input;
  const inReach = kube?.inCluster === true || settings.connectTo.size > 0;
  const name = settings.probe ?? (inReach ? 'direct' : kube === undefined ? 'none' : 'apiserver-proxy');
  if (name === 'none') return undefined;
  if (name === 'direct')
    return { fetch: directFetch(settings.connectTo), exchange: directExchange(settings.connectTo) };
  if (kube === undefined)
    throw new UserError(
      '--probe apiserver-proxy needs a cluster and not manifests; use none, or direct with --connect-to',
      EXIT.usage,
    );
  const { proxyFetch } = await import('../probe/proxy.ts');
  return { fetch: proxyFetch(kube) };
}

/** The stages that the settings ask for. */
export async function stagesOf(settings: Settings, input: Input): Promise<Stages> {
  const rules = rulesFromFiles(builtInDetectorFiles());
  const route = await routeOf(settings, input);
  const limits = { concurrency: settings.probeConcurrency, timeout: settings.healthCheckTimeout };
  const prober: Prober = route === undefined ? noProber : createProber(probeKinds(rules), route, limits);
  const { clusterDomain, allowedHosts, allowExternalNames } = settings;
  return { rules, prober, detection: { clusterDomain, allowedHosts, allowExternalNames } };
}

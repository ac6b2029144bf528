import { builtInDetectorFiles } from '../config/detector-files.ts';
import { ORIGINS, readSettings, type SettingName, type Settings } from '../config/settings.ts';
import { rulesFromFiles } from '../detect/parse.ts';
import type { Stages } from '../engine/pass.ts';
import type { Kube } from '../kube/connection.ts';
import { EXIT, UserError } from '../model/exit.ts';
import { directFetch } from '../probe/direct.ts';
import { healthProber } from '../probe/health.ts';
import { noProber, type Prober } from '../probe/prober.ts';
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

function proberOf(settings: Settings, input: Input): Prober {
  const route =
    settings.probe ?? (input.kube?.inCluster === true || settings.connectTo.size > 0 ? 'direct' : 'none');
  if (route === 'none') return noProber;
  return healthProber(directFetch(settings.connectTo), {
    concurrency: settings.probeConcurrency,
    timeout: settings.healthCheckTimeout,
  });
}

/** The stages that the settings ask for. */
export function stagesOf(settings: Settings, input: Input): Stages {
  return {
    rules: rulesFromFiles(builtInDetectorFiles()),
    prober: proberOf(settings, input),
    detection: { clusterDomain: settings.clusterDomain },
  };
}

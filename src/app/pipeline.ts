import { builtInDetectors } from '../config/detector-files.ts';
import type { Settings } from '../config/setting-table.ts';
import { probeKinds, type Stages } from '../controller/pass.ts';
import { interestOf } from '../detection/interest.ts';
import { makeRules } from '../detection/make-rules.ts';
import type { KubeClient } from '../kubernetes/connection.ts';
import type { AddressBook } from '../model/addresses.ts';
import { ConfigError } from '../model/errors.ts';
import type { ServiceKey } from '../model/service.ts';
import { noProber } from '../probing/no-prober.ts';
import type { ProbeEvent, Route } from '../probing/prober.ts';
import { manifestSource } from '../sources/manifests.ts';
import type { Source, SourceEvent } from '../sources/source.ts';
import type { Configuration } from './configuration.ts';

/** The input of a command: a folder of manifests is a cluster as good as a live one. */
export interface Input {
  readonly source: Source;
  /** The connection to the cluster, where that is the input or is needed to publish. */
  readonly kube: KubeClient | undefined;
  /** For messages: where Services were looked for. */
  readonly where: string;
  /** The namespaces that are searched; `*` or none: all. */
  readonly namespaces: readonly string[];
}

/** Which input is wanted. */
export interface InputOptions {
  /** Files and folders with manifests, `-` for standard input. With one of them they are the input, and not a cluster. */
  readonly manifests: readonly string[];
  /** Of manifests, only the configured namespaces are wanted. */
  readonly onlyNamespaces: boolean;
  /** Path of a kubeconfig, where it is not the usual one. */
  readonly kubeconfig: string | undefined;
  /** What a person would call the place of the kubeconfig, for messages. */
  readonly origin: string;
  readonly context: string | undefined;
  readonly stdin: NodeJS.ReadableStream;
}

/** Opens the connection to the cluster. @throws UserError */
export async function openCluster({ kubeconfig, origin, context }: InputOptions): Promise<KubeClient> {
  const { connect } = await import('../kubernetes/connection.ts');
  return connect({ kubeconfig, origin, context });
}

/** Are manifests the input, and not a cluster? */
export const readsManifests = ({ manifests }: InputOptions): boolean => manifests.length > 0;

/**
 * Opens the input.
 * @param follow keep looking, at least each discovery interval
 * @param cluster the connection to the cluster, if it is open already
 * @param tell told what happens while it is followed
 */
export async function openInput(
  options: InputOptions,
  settings: Configuration,
  follow: boolean,
  cluster?: KubeClient,
  tell?: (event: SourceEvent) => void,
): Promise<Input> {
  const interval = settings.discoveryInterval;
  const interest = interestOf(rulesOf(settings).rules);
  const { manifests, onlyNamespaces, stdin } = options;
  if (readsManifests(options)) {
    const chosen = onlyNamespaces ? settings.namespaces.filter((name) => name !== '*') : [];
    return {
      kube: undefined,
      where: manifests.map((path) => (path === '-' ? 'standard input' : path)).join(', '),
      namespaces: chosen,
      source: manifestSource({
        paths: manifests,
        namespaces: chosen,
        defaultNamespace: chosen.length === 1 ? (chosen[0] ?? 'default') : 'default',
        follow: follow ? { interval } : undefined,
        stdin,
        interest,
      }),
    };
  }
  const kube = cluster ?? (await openCluster(options));
  const { clusterSource } = await import('../sources/cluster.ts');
  const where = settings.namespaces.includes('*')
    ? 'all namespaces'
    : `namespace${settings.namespaces.length === 1 ? '' : 's'} ${settings.namespaces.join(', ')}`;
  const { namespaces } = settings;
  return {
    kube,
    where,
    namespaces,
    source: clusterSource(kube, {
      namespaces,
      interval: follow ? interval : undefined,
      interest,
      ...(tell && { emit: tell }),
    }),
  };
}

/** The route to the backends: as told, else the one that works from here. */
async function routeOf(settings: Settings, input: Input): Promise<Route | undefined> {
  const { kube } = input;
  const inReach = kube?.inCluster === true || settings.connectTo.size > 0;
  const name = settings.probe ?? (inReach ? 'direct' : kube === undefined ? 'none' : 'apiserver-proxy');
  if (name === 'none') return undefined;
  if (name === 'direct') {
    const { directFetch } = await import('../probing/direct.ts');
    const { directExchange } = await import('../probing/kafka.ts');
    return { fetch: directFetch(settings.connectTo), exchange: directExchange(settings.connectTo) };
  }
  if (kube === undefined)
    throw new ConfigError(
      '--probe apiserver-proxy needs a cluster and not manifests; use none, or direct with --connect-to',
    );
  const { proxyFetch } = await import('../probing/proxy.ts');
  return { fetch: proxyFetch(kube) };
}

/** The rules that the settings ask for, and what is wrong with those that users add. */
export function rulesOf(settings: Configuration): ReturnType<typeof makeRules> {
  const { userDetectors } = settings;
  const { rules, problems } = makeRules(builtInDetectors(), {
    added: userDetectors.flatMap(({ detectors }) => detectors),
    options: settings.detectors,
    disabled: settings.disabledDetectors,
  });
  return { rules, problems: [...userDetectors.flatMap((folder) => folder.problems), ...problems] };
}

/** Who wants to be told when the readiness of a Service changes, and for how long. */
export interface Readiness {
  changed(service: ServiceKey, ready: boolean): void;
  readonly signal: AbortSignal;
}

/**
 * The stages that the settings ask for.
 * @param readiness EndpointSlices are followed, and not read in each pass
 * @param tell told of each probe
 */
export async function stagesOf(
  settings: Configuration,
  input: Input,
  readiness?: Readiness,
  tell?: (event: ProbeEvent) => void,
): Promise<Stages> {
  const { rules, problems } = await rulesOf(settings);
  const route = await routeOf(settings, input);
  const limits = { concurrency: settings.probeConcurrency, timeout: settings.healthCheckTimeout };
  let prober = noProber;
  let addresses: AddressBook | undefined;
  if (route !== undefined) {
    const { createProber } = await import('../probing/prober.ts');
    prober = createProber(probeKinds(rules), route, limits, tell);
  }
  if (input.kube !== undefined) {
    const { ReadinessProber } = await import('../probing/readiness.ts');
    const { WatchedReadiness } = await import('../kubernetes/watch-readiness.ts');
    const watched =
      readiness === undefined
        ? undefined
        : new WatchedReadiness(
            input.kube,
            readiness.changed,
            readiness.signal,
            settings.namespaces.includes('*'),
          );
    const reading = new ReadinessProber(input.kube, prober, {
      ...(watched && { watched }),
      // The API server's proxy speaks HTTP only.
      byService: route !== undefined && route.exchange === undefined,
      isProbing: route !== undefined,
    });
    prober = reading;
    addresses = reading;
  }
  const { clusterDomain, allowedHosts, allowExternalNames, maxBackends, maxNamespaceServices } = settings;
  return {
    rules,
    problems,
    prober,
    maxBackends,
    ...(addresses && { addresses }),
    detection: { clusterDomain, allowedHosts, allowExternalNames, maxNamespaceServices },
  };
}

import { builtInDetectors } from '../config/detector-files.ts';
import { probeKinds, type Stages } from '../controller/pass.ts';
import { interestOf } from '../detection/interest.ts';
import { makeRules } from '../detection/make-rules.ts';
import type { KubeClient } from '../kubernetes/connection.ts';
import type { AddressBook } from '../model/addresses.ts';
import { ConfigError } from '../model/errors.ts';
import type { ServiceKey } from '../model/service.ts';
import { noProber } from '../probing/no-prober.ts';
import type { ProbeEvent, Route } from '../probing/prober.ts';
import type { Source, SourceEvent } from '../sources/source.ts';
import type { CertificateFiles } from './certificate-files.ts';
import type { ChosenSource } from './chosen-source.ts';
import type { Configuration } from './configuration.ts';

/** The input of a command: a cluster, or another source. */
export interface Input {
  readonly source: Source;
  /** The connection to the cluster, if it is the input. */
  readonly kube: KubeClient | undefined;
  /** The input, for messages. */
  readonly where: string;
  /** The searched namespaces. `*` or an empty list: all. */
  readonly namespaces: readonly string[];
}

/** Options that choose the input. */
export interface InputOptions {
  /** What is read instead of the cluster, if anything is. */
  readonly source: ChosenSource | undefined;
  /** Use only the configured namespaces of that source. */
  readonly onlyNamespaces: boolean;
  /** Path of a kubeconfig, if it is not the default one. */
  readonly kubeconfig: string | undefined;
  /** Where the kubeconfig comes from, for messages. */
  readonly origin: string;
  readonly context: string | undefined;
}

/** Opens the connection to the cluster. @throws UserError */
export async function openCluster({ kubeconfig, origin, context }: InputOptions): Promise<KubeClient> {
  const { connect } = await import('../kubernetes/connection.ts');
  return connect({ kubeconfig, origin, context });
}

/** Whether the Services are those of a cluster. */
export const readsCluster = ({ source }: InputOptions): boolean => source === undefined;

/**
 * Opens the input.
 * @param watch watch it, and read it again after each discovery interval
 * @param cluster the connection to the cluster, if it is already open
 * @param emit receives the events of the source
 */
export async function openInput(
  options: InputOptions,
  settings: Configuration,
  watch: boolean,
  cluster?: KubeClient,
  emit?: (event: SourceEvent) => void,
): Promise<Input> {
  const interval = settings.discoveryInterval;
  const interest = interestOf(rulesOf(settings).rules);
  const { source, onlyNamespaces } = options;
  if (source !== undefined) {
    const chosen = onlyNamespaces ? settings.namespaces.filter((name) => name !== '*') : [];
    return {
      kube: undefined,
      where: source.where,
      namespaces: chosen,
      source: await source.open({
        namespaces: chosen,
        follow: watch ? { interval } : undefined,
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
      interval: watch ? interval : undefined,
      interest,
      ...(emit && { emit: emit }),
    }),
  };
}

/** A route to the backends, with the files that it uses for TLS. */
interface OpenRoute {
  readonly route: Route;
  readonly certificates?: CertificateFiles;
}

/**
 * The route to the backends: the configured one, or the one that works from here.
 * @param before the files of the previous configuration
 */
async function routeOf(
  settings: Configuration,
  input: Input,
  before: CertificateFiles | undefined,
): Promise<OpenRoute | undefined> {
  const { kube } = input;
  const inReach = kube?.inCluster === true || settings.connectTo.size > 0;
  const name = settings.probe ?? (inReach ? 'direct' : kube === undefined ? 'none' : 'apiserver-proxy');
  if (name === 'none') return undefined;
  if (name === 'direct') {
    const { createGuard } = await import('../probing/connect.ts');
    const { directFetch } = await import('../probing/direct.ts');
    const { directGrpc } = await import('../probing/grpc.ts');
    const { directExchange } = await import('../probing/kafka.ts');
    const { CertificateFiles } = await import('./certificate-files.ts');
    const certificates = new CertificateFiles(settings, before);
    await certificates.load();
    return {
      route: {
        fetch: directFetch(settings.connectTo, createGuard(), certificates.tlsFor),
        exchange: directExchange(settings.connectTo),
        grpc: directGrpc(settings.connectTo),
      },
      certificates,
    };
  }
  if (kube === undefined)
    throw new ConfigError(
      '--probe apiserver-proxy needs a cluster and not manifests; use none, or direct with --connect-to',
    );
  const { proxyFetch } = await import('../probing/proxy.ts');
  return { route: { fetch: proxyFetch(kube) } };
}

/** The rules for the configured detectors, and the faults of custom ones. */
export function rulesOf(settings: Configuration): ReturnType<typeof makeRules> {
  const { userDetectors } = settings;
  const { rules, problems } = makeRules(builtInDetectors(), {
    added: userDetectors.flatMap(({ detectors }) => detectors),
    options: settings.detectors,
    disabled: settings.disabledDetectors,
  });
  return { rules, problems: [...userDetectors.flatMap((folder) => folder.problems), ...problems] };
}

/** Listens to changes of the readiness of Services, until the signal is aborted. */
export interface ReadinessListener {
  changed(service: ServiceKey, ready: boolean): void;
  readonly signal: AbortSignal;
}

/** What a user of the stages needs besides discovery. */
export interface StageOptions {
  /** If set, EndpointSlices are watched instead of being read in each pass. */
  readonly readiness?: ReadinessListener | undefined;
  /** Receives an event for each probe. */
  readonly emit?: (event: ProbeEvent) => void;
  /** Whether to keep the texts of MCP tools. */
  readonly keepsTexts?: boolean;
  /** Receives the files that probes use for TLS, and reports their problems. By default, they are problems of the pass. */
  readonly onCertificates?: ((files: CertificateFiles) => void) | undefined;
  /** Those of the previous configuration. */
  readonly certificatesBefore?: CertificateFiles | undefined;
}

/** Builds the stages from the settings. */
export async function stagesOf(
  settings: Configuration,
  input: Input,
  { readiness, emit, keepsTexts, onCertificates, certificatesBefore }: StageOptions = {},
): Promise<Stages> {
  const { rules, problems } = await rulesOf(settings);
  const { route, certificates } = (await routeOf(settings, input, certificatesBefore)) ?? {};
  if (certificates !== undefined) onCertificates?.(certificates);
  const limits = { concurrency: settings.probeConcurrency, timeout: settings.healthCheckTimeout, keepsTexts };
  let prober = noProber;
  let addresses: AddressBook | undefined;
  if (route !== undefined) {
    const { createProber } = await import('../probing/prober.ts');
    prober = createProber(probeKinds(rules), route, limits, emit);
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
    const readinessProber = new ReadinessProber(input.kube, prober, {
      ...(watched && { watched }),
      // The API server's proxy speaks HTTP only.
      byService: route !== undefined && route.exchange === undefined,
      isProbing: route !== undefined,
    });
    prober = readinessProber;
    addresses = readinessProber;
  }
  const { clusterDomain, allowedHosts, allowExternalNames, maxBackends, maxNamespaceServices } = settings;
  return {
    rules,
    problems: onCertificates === undefined ? [...problems, ...(certificates?.problems ?? [])] : problems,
    prober,
    maxBackends,
    ...(addresses && { addresses }),
    detection: { clusterDomain, allowedHosts, allowExternalNames, maxNamespaceServices },
  };
}

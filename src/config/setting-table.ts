import {
  baseUrl,
  connectTo,
  count,
  deployment,
  domain,
  duration,
  Fault,
  type Form,
  flag,
  holmesLine,
  hostPatterns,
  list,
  listenAddress,
  namespaceName,
  namespaces,
  objectName,
  oneOf,
  path,
} from './setting-texts.ts';

/** The settings that belong together, and the commands that take their flags. */
export const GROUPS = {
  input: { title: 'Input', commands: ['discover', 'explain', 'generate', 'serve', 'diff'] },
  probing: { title: 'Probing', commands: ['discover', 'explain', 'approve', 'generate', 'serve', 'diff'] },
  limits: { title: 'Limits', commands: ['discover', 'explain', 'generate', 'serve', 'diff'] },
  document: { title: 'Documents', commands: ['generate', 'serve', 'diff'] },
  configMap: {
    title: 'ConfigMap',
    commands: ['approve', 'generate', 'serve', 'diff', 'history', 'rollback'],
  },
  stored: { title: 'Stored settings', commands: ['serve', 'diff'] },
  publishing: { title: 'Publishing', commands: ['serve'] },
  holmesgpt: { title: 'HolmesGPT', commands: ['serve'] },
  servers: { title: 'API and metrics', commands: ['serve'] },
  process: { title: 'Log and end', commands: ['serve'] },
} as const;
export type SettingGroup = keyof typeof GROUPS;

/** What people are told of a setting. */
interface About {
  readonly group: SettingGroup;
  readonly env: string;
  readonly flag: string;
  /** The flag's letter, such as `-n`. */
  readonly letter?: string;
  /** What it is for, as the end of a line in help. */
  readonly says: string;
  /** It says which ConfigMap has settings, so it cannot stand there, and changes by a restart only. */
  readonly locates?: true;
}

/** One setting: how its text becomes a value, what it is without one, and what people are told of it. */
export interface Setting<T> extends About {
  readonly form: Form<T>;
  readonly unset: T;
  /** What it is without one, for people; empty where that is nothing. */
  readonly preset: string;
}

/** A setting with a default, which is written as a person would write it. */
function setting<T>(form: Form<T>, preset: string, about: About): Setting<T> {
  const unset = form.read(preset);
  if (unset instanceof Fault) throw new Error(`${about.flag}: its default "${preset}" ${unset.what}`);
  return { ...about, form, unset, preset };
}

/** A setting that may be missing. @param preset what that means, for people */
const optional = <T>(form: Form<T>, preset: string, about: About): Setting<T | undefined> => ({
  ...about,
  form,
  unset: undefined,
  preset,
});

const INTERVAL = duration(1_000, 24 * 3_600_000);

/** All settings, in the order of help and reference. */
export const SETTINGS = {
  namespaces: setting(namespaces, 'monitoring,observability,default', {
    group: 'input',
    env: 'NAMESPACES',
    flag: '--namespace',
    letter: '-n',
    says: 'namespaces to look into, with commas between; * for all',
  }),
  clusterDomain: setting(domain, 'cluster.local', {
    group: 'input',
    env: 'CLUSTER_DOMAIN',
    flag: '--cluster-domain',
    says: 'DNS domain of the cluster, for endpoints',
  }),
  allowedHosts: setting(hostPatterns, '', {
    group: 'input',
    env: 'ALLOWED_HOSTS',
    flag: '--allowed-hosts',
    says: 'hosts that endpoint annotations may name beside their own Service, with commas between; * stands for any run of characters',
  }),
  allowExternalNames: setting(flag, 'false', {
    group: 'input',
    env: 'ALLOW_EXTERNAL_NAMES',
    flag: '--allow-external-names',
    says: 'look at Services of type ExternalName too',
  }),
  maxBackends: setting(count(1, 10_000), '1000', {
    group: 'input',
    env: 'MAX_BACKENDS',
    flag: '--max-backends',
    says: 'most backends that are looked at, by turns of their namespaces; what is left out is told',
  }),
  maxNamespaceServices: setting(count(1, 10_000), '500', {
    group: 'input',
    env: 'MAX_NAMESPACE_SERVICES',
    flag: '--max-namespace-services',
    says: 'most Services of one namespace that are taken for backends, the older first; what is left out is told',
  }),
  mcpPolicy: setting(oneOf('policy', 'publish', 'approve', 'off'), 'approve', {
    group: 'input',
    env: 'MCP_POLICY',
    flag: '--mcp-policy',
    says: 'what becomes of MCP servers and annotated Services: publish them; publish them once a person approved them, those of namespaces that are listed by name at once (approve); or publish none (off)',
  }),
  maxToolsPerNamespace: setting(count(1, 10_000), '100', {
    group: 'limits',
    env: 'MAX_TOOLS_PER_NAMESPACE',
    flag: '--max-tools-per-namespace',
    says: 'most tools of one namespace that are published; those published before and the older Services stay',
  }),
  maxDocumentKib: setting(count(16, 900), '900', {
    group: 'limits',
    env: 'MAX_DOCUMENT_KIB',
    flag: '--max-document-kib',
    says: 'most KiB of the documents together; beyond them, the namespaces that take the most lose tools',
  }),
  maxDescriptionBytes: setting(count(0, 1_000_000), '16384', {
    group: 'limits',
    env: 'MAX_DESCRIPTION_BYTES',
    flag: '--max-description-bytes',
    says: "most bytes of descriptions by owners of Services, in all; beyond them a tool has the detector's",
  }),
  maxDescriptionBytesPerNamespace: setting(count(0, 1_000_000), '4096', {
    group: 'limits',
    env: 'MAX_DESCRIPTION_BYTES_PER_NAMESPACE',
    flag: '--max-description-bytes-per-namespace',
    says: 'the same, of one namespace',
  }),
  maxAgentTools: setting(count(1, 10_000), '128', {
    group: 'limits',
    env: 'MAX_AGENT_TOOLS',
    flag: '--max-agent-tools',
    says: 'most tools that HolmesGPT offers to its model; beyond them, backends of the namespaces that bring the most are left out of its file',
  }),
  probe: optional(
    oneOf('route', 'direct', 'apiserver-proxy', 'none'),
    'direct in a Pod or with --connect-to, none for manifests, else apiserver-proxy',
    {
      group: 'probing',
      env: 'PROBE',
      flag: '--probe',
      says: 'how backends are asked: direct, through the API server (apiserver-proxy), or none: health stays unknown',
    },
  ),
  healthCheckTimeout: setting(duration(100, 60_000), '5s', {
    group: 'probing',
    env: 'HEALTH_CHECK_TIMEOUT',
    flag: '--health-check-timeout',
    says: 'longest time for one probe',
  }),
  probeConcurrency: setting(count(1, 1_000), '32', {
    group: 'probing',
    env: 'PROBE_CONCURRENCY',
    flag: '--probe-concurrency',
    says: 'most probes at a time',
  }),
  connectTo: setting(connectTo, '', {
    group: 'probing',
    env: 'CONNECT_TO',
    flag: '--connect-to',
    says: "connect to this address in place of a backend's, as curl does; for port-forwards",
  }),
  holmesgptVersion: setting(holmesLine, '0.32', {
    group: 'document',
    env: 'HOLMESGPT_VERSION',
    flag: '--holmesgpt-version',
    says: 'version of HolmesGPT that custom_toolset.yaml is made for; before 0.32 each built-in toolset takes one backend',
  }),
  configMapName: setting(objectName('a ConfigMap'), 'kubernaut-toolset-config', {
    group: 'configMap',
    env: 'CONFIGMAP_NAME',
    flag: '--configmap-name',
    says: 'name of the published ConfigMap',
  }),
  configMapNamespace: setting(namespaceName, 'kubernaut-system', {
    group: 'configMap',
    env: 'CONFIGMAP_NAMESPACE',
    flag: '--configmap-namespace',
    says: 'its namespace',
    locates: true,
  }),
  settingsConfigMap: setting(objectName('a ConfigMap'), 'dynamic-toolset-config', {
    group: 'stored',
    env: 'SETTINGS_CONFIGMAP',
    flag: '--settings-configmap',
    says: 'name of a ConfigMap with settings, beside the published one',
    locates: true,
  }),
  discoveryInterval: setting(INTERVAL, '5m', {
    group: 'publishing',
    env: 'DISCOVERY_INTERVAL',
    flag: '--discovery-interval',
    says: 'time between two full reads; Services are watched in between',
  }),
  revisionHistoryLimit: setting(count(1, 100), '10', {
    group: 'publishing',
    env: 'REVISION_HISTORY_LIMIT',
    flag: '--revision-history-limit',
    says: 'how many published toolsets are kept to return to',
  }),
  removalHold: setting(duration(1_000, 24 * 3_600_000), '5m', {
    group: 'publishing',
    env: 'REMOVAL_HOLD',
    flag: '--removal-hold',
    says: 'how long most tools stay when they would all go at once; 15s at most where Kubernetes says that no Pod is ready',
  }),
  leaderElection: setting(flag, 'false', {
    group: 'publishing',
    env: 'LEADER_ELECTION',
    flag: '--leader-elect',
    says: 'write only while this process is the leader, so that several replicas can run',
  }),
  leaseName: setting(objectName('a Lease'), 'dynamic-toolset', {
    group: 'publishing',
    env: 'LEASE_NAME',
    flag: '--lease-name',
    says: "name of the Lease by which the leader is found, in the ConfigMap's namespace; each published ConfigMap there needs its own",
  }),
  holmesgptDeployment: optional(deployment, '', {
    group: 'holmesgpt',
    env: 'HOLMESGPT_DEPLOYMENT',
    flag: '--holmesgpt-deployment',
    says: "HolmesGPT's Deployment, for the next two",
  }),
  holmesgptConfigMap: setting(flag, 'false', {
    group: 'holmesgpt',
    env: 'HOLMESGPT_CONFIGMAP',
    flag: '--holmesgpt-configmap',
    says: 'write custom_toolset.yaml into the ConfigMap that the Deployment mounts, too',
  }),
  holmesgptReload: setting(oneOf('how', 'none', 'restart', 'endpoint'), 'none', {
    group: 'holmesgpt',
    env: 'HOLMESGPT_RELOAD',
    flag: '--holmesgpt-reload',
    says: 'make HolmesGPT read a changed file: restart its Deployment, or call its endpoint',
  }),
  holmesgptReloadInterval: setting(INTERVAL, '5m', {
    group: 'holmesgpt',
    env: 'HOLMESGPT_RELOAD_INTERVAL',
    flag: '--holmesgpt-reload-interval',
    says: 'shortest time between two of these',
  }),
  holmesgptUrl: optional(baseUrl, '', {
    group: 'holmesgpt',
    env: 'HOLMESGPT_URL',
    flag: '--holmesgpt-url',
    says: 'where HolmesGPT listens, for endpoint',
  }),
  apiAddress: optional(listenAddress, ':8080 in a Pod, else none', {
    group: 'servers',
    env: 'API_ADDRESS',
    flag: '--api-address',
    says: 'HOST:PORT of the API, or none; it answers probes, too',
  }),
  metricsAddress: optional(listenAddress, ':9090 in a Pod, else none', {
    group: 'servers',
    env: 'METRICS_ADDRESS',
    flag: '--metrics-address',
    says: 'HOST:PORT of the metrics, or none',
  }),
  healthAddress: optional(listenAddress, ':8081 in a Pod, else none', {
    group: 'servers',
    env: 'HEALTH_ADDRESS',
    flag: '--health-address',
    says: 'HOST:PORT of /health and /ready alone, over HTTP and without a token, for the kubelet; or none',
  }),
  authEnabled: setting(flag, 'true', {
    group: 'servers',
    env: 'AUTH_ENABLED',
    flag: '--auth-enabled',
    says: 'false: nobody is asked for a token, and whoever reaches the servers may use them',
  }),
  authAudiences: setting(list, '', {
    group: 'servers',
    env: 'AUTH_AUDIENCES',
    flag: '--auth-audiences',
    says: "audiences one of which a token must be for, with commas between; the API server's without it",
  }),
  authorizationEnabled: setting(flag, 'false', {
    group: 'servers',
    env: 'AUTHORIZATION_ENABLED',
    flag: '--authorization-enabled',
    says: 'ask the API server for each caller whether it may do this',
  }),
  metricsAuthEnabled: setting(flag, 'true', {
    group: 'servers',
    env: 'METRICS_AUTH_ENABLED',
    flag: '--metrics-auth-enabled',
    says: 'false: metrics are for everybody who reaches them',
  }),
  rateLimit: setting(count(1, 100_000), '100', {
    group: 'servers',
    env: 'RATE_LIMIT',
    flag: '--rate-limit',
    says: 'requests a second of one client',
  }),
  rateLimitBurst: setting(count(1, 100_000), '150', {
    group: 'servers',
    env: 'RATE_LIMIT_BURST',
    flag: '--rate-limit-burst',
    says: 'requests of one client at once',
  }),
  maxConnectionsPerAddress: setting(count(1, 1_000), '50', {
    group: 'servers',
    env: 'MAX_CONNECTIONS_PER_ADDRESS',
    flag: '--max-connections-per-address',
    says: 'most connections of one address to the API, and to the metrics',
  }),
  tlsCertFile: optional(path, '', {
    group: 'servers',
    env: 'TLS_CERT_FILE',
    flag: '--tls-cert-file',
    says: 'certificate of both servers, in PEM; read again when it changes',
  }),
  tlsKeyFile: optional(path, '', {
    group: 'servers',
    env: 'TLS_KEY_FILE',
    flag: '--tls-key-file',
    says: 'its key, in PEM',
  }),
  tlsClientCaFile: optional(path, '', {
    group: 'servers',
    env: 'TLS_CLIENT_CA_FILE',
    flag: '--tls-client-ca-file',
    says: 'let in only clients with a certificate of one of these authorities; the kubelet has none, and asks HEALTH_ADDRESS',
  }),
  shutdownDelay: setting(duration(0, 600_000), '5s', {
    group: 'process',
    env: 'SHUTDOWN_DELAY',
    flag: '--shutdown-delay',
    says: 'time between "not ready" and the end of the servers',
  }),
  shutdownTimeout: setting(duration(1_000, 600_000), '20s', {
    group: 'process',
    env: 'SHUTDOWN_TIMEOUT',
    flag: '--shutdown-timeout',
    says: 'longest time of an orderly end',
  }),
  logLevel: setting(oneOf('level', 'error', 'warn', 'info', 'debug'), 'info', {
    group: 'process',
    env: 'LOG_LEVEL',
    flag: '--log-level',
    says: 'the least important lines that are written',
  }),
  logFormat: setting(oneOf('format', 'json', 'pretty'), 'json', {
    group: 'process',
    env: 'LOG_FORMAT',
    flag: '--log-format',
    says: 'json, or pretty for people',
  }),
};

export type Settings = {
  readonly [Name in keyof typeof SETTINGS]: (typeof SETTINGS)[Name]['unset'];
};
export type SettingName = keyof Settings;

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

/** A flag that turns something on takes no value; one of something that is on unless it is turned off takes one. */
export const isSwitch = ({ form, preset }: Setting<unknown>): boolean =>
  form.placeholder === flag.placeholder && preset === 'false';

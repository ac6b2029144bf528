import { optional, setting } from './setting.ts';
import {
  baseUrl,
  connectTo,
  count,
  deployment,
  domain,
  duration,
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

const INTERVAL = duration(1_000, 24 * 3_600_000);

/** All settings, in the order of help and reference. */
export const SETTINGS = {
  namespaces: setting(namespaces, 'monitoring,observability,default', {
    group: 'input',
    env: 'NAMESPACES',
    flag: '--namespace',
    letter: '-n',
    description: 'namespaces to search, comma-separated; * for all',
  }),
  clusterDomain: setting(domain, 'cluster.local', {
    group: 'input',
    env: 'CLUSTER_DOMAIN',
    flag: '--cluster-domain',
    description: 'DNS domain of the cluster, used in endpoints',
  }),
  allowedHosts: setting(hostPatterns, '', {
    group: 'input',
    env: 'ALLOWED_HOSTS',
    flag: '--allowed-hosts',
    description:
      'hosts that endpoint annotations may use in addition to their own Service, comma-separated; * matches any characters',
  }),
  allowExternalNames: setting(flag, 'false', {
    group: 'input',
    env: 'ALLOW_EXTERNAL_NAMES',
    flag: '--allow-external-names',
    description: 'include Services of type ExternalName',
  }),
  maxBackends: setting(count(1, 10_000), '1000', {
    group: 'input',
    env: 'MAX_BACKENDS',
    flag: '--max-backends',
    description: 'maximum number of backends, shared fairly among namespaces; the log names what is left out',
  }),
  maxNamespaceServices: setting(count(1, 10_000), '500', {
    group: 'input',
    env: 'MAX_NAMESPACE_SERVICES',
    flag: '--max-namespace-services',
    description:
      'maximum number of Services per namespace to consider as backends: those in use, and then the oldest; the log names what is left out',
  }),
  mcpPolicy: setting(oneOf('policy', 'publish', 'approve', 'off'), 'approve', {
    group: 'input',
    env: 'MCP_POLICY',
    flag: '--mcp-policy',
    description:
      'which MCP servers and annotated Services to publish: all (publish), those that are approved or in namespaces listed by name (approve), or none (off)',
  }),
  maxToolsPerNamespace: setting(count(1, 10_000), '100', {
    group: 'limits',
    env: 'MAX_TOOLS_PER_NAMESPACE',
    flag: '--max-tools-per-namespace',
    description: 'maximum number of published tools per namespace; those that came into use first stay',
  }),
  maxDocumentKib: setting(count(16, 900), '900', {
    group: 'limits',
    env: 'MAX_DOCUMENT_KIB',
    flag: '--max-document-kib',
    description:
      'maximum total size of the documents in one ConfigMap, in KiB; beyond it, toolset.json is split (MAX_SHARDS), or the namespaces that use the most lose tools',
  }),
  maxShards: setting(count(1, 16), '4', {
    group: 'limits',
    env: 'MAX_SHARDS',
    flag: '--max-shards',
    description:
      'maximum number of ConfigMaps to split toolset.json into if it does not fit into one; tools that do not fit into them are left out',
  }),
  maxDescriptionBytes: setting(count(0, 1_000_000), '16384', {
    group: 'limits',
    env: 'MAX_DESCRIPTION_BYTES',
    flag: '--max-description-bytes',
    description:
      "maximum total bytes of descriptions from Service owners; beyond it, tools use the detector's description",
  }),
  maxDescriptionBytesPerNamespace: setting(count(0, 1_000_000), '4096', {
    group: 'limits',
    env: 'MAX_DESCRIPTION_BYTES_PER_NAMESPACE',
    flag: '--max-description-bytes-per-namespace',
    description: 'the same limit per namespace',
  }),
  maxAgentTools: setting(count(1, 10_000), '128', {
    group: 'limits',
    env: 'MAX_AGENT_TOOLS',
    flag: '--max-agent-tools',
    description:
      'maximum number of tools that the agent offers to its model; beyond it, the namespaces that add the most lose backends in its file',
  }),
  probe: optional(
    oneOf('route', 'direct', 'apiserver-proxy', 'none'),
    'direct in a Pod or with --connect-to, none for manifests, otherwise apiserver-proxy',
    {
      group: 'probing',
      env: 'PROBE',
      flag: '--probe',
      description:
        'how to probe backends: directly, through the API server, or not at all (health stays unknown)',
    },
  ),
  healthCheckTimeout: setting(duration(100, 60_000), '5s', {
    group: 'probing',
    env: 'HEALTH_CHECK_TIMEOUT',
    flag: '--health-check-timeout',
    description: 'timeout of one probe',
  }),
  probeConcurrency: setting(count(1, 1_000), '32', {
    group: 'probing',
    env: 'PROBE_CONCURRENCY',
    flag: '--probe-concurrency',
    description: 'maximum number of concurrent probes',
  }),
  connectTo: setting(connectTo, '', {
    group: 'probing',
    env: 'CONNECT_TO',
    flag: '--connect-to',
    description: 'connect to ADDRESS:PORT instead of HOST:PORT; for port-forwards',
  }),
  holmesgptVersion: setting(holmesLine, '0.32', {
    group: 'document',
    env: 'HOLMESGPT_VERSION',
    flag: '--holmesgpt-version',
    description:
      'HolmesGPT version to generate custom_toolset.yaml for; before 0.32, each built-in toolset supports one backend',
  }),
  holmesgptOpenshift: setting(flag, 'false', {
    group: 'document',
    env: 'HOLMESGPT_OPENSHIFT',
    flag: '--holmesgpt-openshift',
    description:
      'whether HolmesGPT runs with IS_OPENSHIFT, which sends the token of its ServiceAccount to each Prometheus; if true, only those with agentToken in the credentials get it',
  }),
  configMapName: setting(objectName('a ConfigMap'), 'kubernaut-toolset-config', {
    group: 'configMap',
    env: 'CONFIGMAP_NAME',
    flag: '--configmap-name',
    description: 'name of the published ConfigMap',
  }),
  configMapNamespace: setting(namespaceName, 'kubernaut-system', {
    group: 'configMap',
    env: 'CONFIGMAP_NAMESPACE',
    flag: '--configmap-namespace',
    description: 'namespace of the published ConfigMap',
    bootstrapOnly: true,
  }),
  settingsConfigMap: setting(objectName('a ConfigMap'), 'dynamic-toolset-config', {
    group: 'stored',
    env: 'SETTINGS_CONFIGMAP',
    flag: '--settings-configmap',
    description: 'name of the settings ConfigMap, in the namespace of the published one',
    bootstrapOnly: true,
  }),
  discoveryInterval: setting(INTERVAL, '5m', {
    group: 'publishing',
    env: 'DISCOVERY_INTERVAL',
    flag: '--discovery-interval',
    description: 'interval between full resyncs; Services are watched in between',
  }),
  revisionHistoryLimit: setting(count(1, 100), '10', {
    group: 'publishing',
    env: 'REVISION_HISTORY_LIMIT',
    flag: '--revision-history-limit',
    description: 'number of published toolsets to keep for rollback',
  }),
  removalHold: setting(duration(1_000, 24 * 3_600_000), '5m', {
    group: 'publishing',
    env: 'REMOVAL_HOLD',
    flag: '--removal-hold',
    description:
      'how long to keep tools when most would be removed at once; at most 15s if Kubernetes reports no ready Pods',
  }),
  leaderElection: setting(flag, 'false', {
    group: 'publishing',
    env: 'LEADER_ELECTION',
    flag: '--leader-elect',
    description: 'use leader election, so that several replicas can run',
  }),
  leaseName: setting(objectName('a Lease'), 'dynamic-toolset', {
    group: 'publishing',
    env: 'LEASE_NAME',
    flag: '--lease-name',
    description:
      "name of the leader election Lease, in the ConfigMap's namespace; each published ConfigMap there needs its own",
  }),
  holmesgptDeployment: optional(deployment, '', {
    group: 'holmesgpt',
    env: 'HOLMESGPT_DEPLOYMENT',
    flag: '--holmesgpt-deployment',
    description: "HolmesGPT's Deployment; required to write its ConfigMap or restart it",
  }),
  holmesgptConfigMap: setting(flag, 'false', {
    group: 'holmesgpt',
    env: 'HOLMESGPT_CONFIGMAP',
    flag: '--holmesgpt-configmap',
    description: 'also write custom_toolset.yaml into the ConfigMap that the Deployment mounts',
  }),
  holmesgptReload: setting(oneOf('how', 'none', 'restart', 'endpoint'), 'none', {
    group: 'holmesgpt',
    env: 'HOLMESGPT_RELOAD',
    flag: '--holmesgpt-reload',
    description: 'how HolmesGPT reloads a changed file: restart its Deployment, or call its reload endpoint',
  }),
  holmesgptReloadInterval: setting(INTERVAL, '5m', {
    group: 'holmesgpt',
    env: 'HOLMESGPT_RELOAD_INTERVAL',
    flag: '--holmesgpt-reload-interval',
    description: 'minimum time between two reloads',
  }),
  holmesgptUrl: optional(baseUrl, '', {
    group: 'holmesgpt',
    env: 'HOLMESGPT_URL',
    flag: '--holmesgpt-url',
    description: 'base URL of HolmesGPT, for the reload endpoint',
  }),
  apiAddress: optional(listenAddress, ':8080 in a Pod, otherwise none', {
    group: 'servers',
    env: 'API_ADDRESS',
    flag: '--api-address',
    description: 'HOST:PORT of the API, or none; also serves health probes',
  }),
  metricsAddress: optional(listenAddress, ':9090 in a Pod, otherwise none', {
    group: 'servers',
    env: 'METRICS_ADDRESS',
    flag: '--metrics-address',
    description: 'HOST:PORT of the metrics, or none',
  }),
  healthAddress: optional(listenAddress, ':8081 in a Pod, otherwise none', {
    group: 'servers',
    env: 'HEALTH_ADDRESS',
    flag: '--health-address',
    description:
      'HOST:PORT that serves only /health and /ready to the kubelet, over HTTP and without a token; or none',
  }),
  authEnabled: setting(flag, 'true', {
    group: 'servers',
    env: 'AUTH_ENABLED',
    flag: '--auth-enabled',
    description: 'require a token; if false, anyone who can reach the servers can use them',
  }),
  authAudiences: setting(list, '', {
    group: 'servers',
    env: 'AUTH_AUDIENCES',
    flag: '--auth-audiences',
    description: "accepted audiences of tokens, comma-separated; the API server's by default",
  }),
  authorizationEnabled: setting(flag, 'false', {
    group: 'servers',
    env: 'AUTHORIZATION_ENABLED',
    flag: '--authorization-enabled',
    description: 'authorize each request with a SubjectAccessReview',
  }),
  metricsAuthEnabled: setting(flag, 'true', {
    group: 'servers',
    env: 'METRICS_AUTH_ENABLED',
    flag: '--metrics-auth-enabled',
    description: 'require a token for metrics; if false, anyone who can reach them can read them',
  }),
  rateLimit: setting(count(1, 100_000), '100', {
    group: 'servers',
    env: 'RATE_LIMIT',
    flag: '--rate-limit',
    description: 'requests per second allowed per client',
  }),
  rateLimitBurst: setting(count(1, 100_000), '150', {
    group: 'servers',
    env: 'RATE_LIMIT_BURST',
    flag: '--rate-limit-burst',
    description: 'burst of requests allowed per client',
  }),
  maxConnectionsPerAddress: setting(count(1, 1_000), '50', {
    group: 'servers',
    env: 'MAX_CONNECTIONS_PER_ADDRESS',
    flag: '--max-connections-per-address',
    description: 'maximum number of connections from one address to the API, and to the metrics',
  }),
  tlsCertFile: optional(path, '', {
    group: 'servers',
    env: 'TLS_CERT_FILE',
    flag: '--tls-cert-file',
    description: 'PEM certificate for the API and metrics; reloaded when it changes',
  }),
  tlsKeyFile: optional(path, '', {
    group: 'servers',
    env: 'TLS_KEY_FILE',
    flag: '--tls-key-file',
    description: 'PEM private key of that certificate',
  }),
  tlsClientCaFile: optional(path, '', {
    group: 'servers',
    env: 'TLS_CLIENT_CA_FILE',
    flag: '--tls-client-ca-file',
    description:
      'require client certificates signed by one of these CAs; the kubelet has none and uses HEALTH_ADDRESS',
  }),
  shutdownDelay: setting(duration(0, 600_000), '5s', {
    group: 'process',
    env: 'SHUTDOWN_DELAY',
    flag: '--shutdown-delay',
    description: 'time between failing readiness and closing the servers',
  }),
  shutdownTimeout: setting(duration(1_000, 600_000), '20s', {
    group: 'process',
    env: 'SHUTDOWN_TIMEOUT',
    flag: '--shutdown-timeout',
    description:
      'time from the termination signal, including the shutdown delay, until connections with open requests are closed',
  }),
  logLevel: setting(oneOf('level', 'error', 'warn', 'info', 'debug'), 'info', {
    group: 'process',
    env: 'LOG_LEVEL',
    flag: '--log-level',
    description: 'minimum log level',
  }),
  logFormat: setting(oneOf('format', 'json', 'pretty'), 'json', {
    group: 'process',
    env: 'LOG_FORMAT',
    flag: '--log-format',
    description: 'json, or pretty for a terminal',
  }),
};

export type Settings = {
  readonly [Name in keyof typeof SETTINGS]: (typeof SETTINGS)[Name]['defaultValue'];
};
export type SettingName = keyof Settings;

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

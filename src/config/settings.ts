import { EXIT, UserError } from '../model/exit.ts';
import {
  baseUrl,
  connectTo,
  count,
  DOMAIN,
  deployment,
  duration,
  Fault,
  flag,
  holmesLine,
  hostPatterns,
  list,
  listenAddress,
  NAME,
  namespaces,
  oneOf,
  path,
  type Reader,
  text,
} from './setting-texts.ts';

interface Setting<T> {
  /** How its text becomes a value. */
  readonly read: Reader<T>;
  /** What it is without one. */
  readonly unset: T;
}

const or = <T>(read: Reader<T>, unset: T): Setting<T> => ({ read, unset });
const optional = <T>(read: Reader<T>): Setting<T | undefined> => ({ read, unset: undefined });

/** The settings: how the text of each becomes a value, and what it is without one. */
const SETTINGS = {
  discoveryInterval: or(duration(1_000, 24 * 3_600_000), 300_000),
  namespaces: or(namespaces, ['monitoring', 'observability', 'default']),
  configMapName: or(text(DOMAIN, "is not a ConfigMap's name"), 'kubernaut-toolset-config'),
  configMapNamespace: or(text(NAME, "is not a namespace's name"), 'kubernaut-system'),
  settingsConfigMap: or(text(DOMAIN, "is not a ConfigMap's name"), 'dynamic-toolset-config'),
  clusterDomain: or(text(DOMAIN, 'is not a DNS domain'), 'cluster.local'),
  allowedHosts: or(hostPatterns, []),
  allowExternalNames: or(flag, false),
  probe: optional(oneOf('direct', 'apiserver-proxy', 'none')),
  healthCheckTimeout: or(duration(100, 60_000), 5_000),
  probeConcurrency: or(count(1, 1_000), 32),
  maxBackends: or(count(1, 10_000), 1_000),
  connectTo: or(connectTo, new Map()),
  holmesgptVersion: or(holmesLine, '0.32'),
  holmesgptDeployment: optional(deployment),
  holmesgptConfigMap: or(flag, false),
  holmesgptReload: or(oneOf('none', 'restart', 'endpoint'), 'none'),
  holmesgptReloadInterval: or(duration(1_000, 24 * 3_600_000), 300_000),
  holmesgptUrl: optional(baseUrl),
  revisionHistoryLimit: or(count(1, 100), 10),
  leaderElection: or(flag, false),
  leaseName: or(text(DOMAIN, "is not a Lease's name"), 'dynamic-toolset'),
  apiAddress: optional(listenAddress),
  metricsAddress: optional(listenAddress),
  authEnabled: or(flag, true),
  authAudiences: or(list, []),
  authorizationEnabled: or(flag, false),
  metricsAuthEnabled: or(flag, true),
  rateLimit: or(count(1, 100_000), 100),
  rateLimitBurst: or(count(1, 100_000), 150),
  tlsCertFile: optional(path),
  tlsKeyFile: optional(path),
  tlsClientCaFile: optional(path),
  shutdownDelay: or(duration(0, 600_000), 5_000),
  shutdownTimeout: or(duration(1_000, 600_000), 20_000),
  logLevel: or(oneOf('error', 'warn', 'info', 'debug'), 'info'),
  logFormat: or(oneOf('json', 'pretty'), 'json'),
};

export type Settings = {
  readonly [Name in keyof typeof SETTINGS]: (typeof SETTINGS)[Name]['unset'];
};
export type SettingName = keyof Settings;

/** The environment variable and the flag of each setting. */
export const ORIGINS: Readonly<Record<SettingName, { readonly env: string; readonly flag: string }>> = {
  discoveryInterval: { env: 'DISCOVERY_INTERVAL', flag: '--discovery-interval' },
  namespaces: { env: 'NAMESPACES', flag: '--namespace' },
  configMapName: { env: 'CONFIGMAP_NAME', flag: '--configmap-name' },
  configMapNamespace: { env: 'CONFIGMAP_NAMESPACE', flag: '--configmap-namespace' },
  settingsConfigMap: { env: 'SETTINGS_CONFIGMAP', flag: '--settings-configmap' },
  clusterDomain: { env: 'CLUSTER_DOMAIN', flag: '--cluster-domain' },
  allowedHosts: { env: 'ALLOWED_HOSTS', flag: '--allowed-hosts' },
  allowExternalNames: { env: 'ALLOW_EXTERNAL_NAMES', flag: '--allow-external-names' },
  probe: { env: 'PROBE', flag: '--probe' },
  healthCheckTimeout: { env: 'HEALTH_CHECK_TIMEOUT', flag: '--health-check-timeout' },
  probeConcurrency: { env: 'PROBE_CONCURRENCY', flag: '--probe-concurrency' },
  maxBackends: { env: 'MAX_BACKENDS', flag: '--max-backends' },
  connectTo: { env: 'CONNECT_TO', flag: '--connect-to' },
  holmesgptVersion: { env: 'HOLMESGPT_VERSION', flag: '--holmesgpt-version' },
  holmesgptDeployment: { env: 'HOLMESGPT_DEPLOYMENT', flag: '--holmesgpt-deployment' },
  holmesgptConfigMap: { env: 'HOLMESGPT_CONFIGMAP', flag: '--holmesgpt-configmap' },
  holmesgptReload: { env: 'HOLMESGPT_RELOAD', flag: '--holmesgpt-reload' },
  holmesgptReloadInterval: { env: 'HOLMESGPT_RELOAD_INTERVAL', flag: '--holmesgpt-reload-interval' },
  holmesgptUrl: { env: 'HOLMESGPT_URL', flag: '--holmesgpt-url' },
  revisionHistoryLimit: { env: 'REVISION_HISTORY_LIMIT', flag: '--revision-history-limit' },
  leaderElection: { env: 'LEADER_ELECTION', flag: '--leader-elect' },
  leaseName: { env: 'LEASE_NAME', flag: '--lease-name' },
  apiAddress: { env: 'API_ADDRESS', flag: '--api-address' },
  metricsAddress: { env: 'METRICS_ADDRESS', flag: '--metrics-address' },
  authEnabled: { env: 'AUTH_ENABLED', flag: '--auth-enabled' },
  authAudiences: { env: 'AUTH_AUDIENCES', flag: '--auth-audiences' },
  authorizationEnabled: { env: 'AUTHORIZATION_ENABLED', flag: '--authorization-enabled' },
  metricsAuthEnabled: { env: 'METRICS_AUTH_ENABLED', flag: '--metrics-auth-enabled' },
  rateLimit: { env: 'RATE_LIMIT', flag: '--rate-limit' },
  rateLimitBurst: { env: 'RATE_LIMIT_BURST', flag: '--rate-limit-burst' },
  tlsCertFile: { env: 'TLS_CERT_FILE', flag: '--tls-cert-file' },
  tlsKeyFile: { env: 'TLS_KEY_FILE', flag: '--tls-key-file' },
  tlsClientCaFile: { env: 'TLS_CLIENT_CA_FILE', flag: '--tls-client-ca-file' },
  shutdownDelay: { env: 'SHUTDOWN_DELAY', flag: '--shutdown-delay' },
  shutdownTimeout: { env: 'SHUTDOWN_TIMEOUT', flag: '--shutdown-timeout' },
  logLevel: { env: 'LOG_LEVEL', flag: '--log-level' },
  logFormat: { env: 'LOG_FORMAT', flag: '--log-format' },
};

/** A setting's text, and where it was given, for messages. */
export interface Given {
  readonly text: string;
  readonly origin: string;
}

/** What was given, by setting; what is not here has its default. */
export type GivenSettings = Readonly<Partial<Record<SettingName, Given>>>;

/** Texts of settings from one place below flags and environment. */
export interface Layer {
  readonly texts: Readonly<Partial<Record<SettingName, string | undefined>>>;
  /** Where a setting's text stands in it, for messages. */
  readonly origin: (name: SettingName) => string;
}

const withoutPassword = (text: string): string => text.replace(/\/\/[^/]*@/g, '//…@');

/**
 * What is given for each setting: by a flag, else by the environment, else by the first layer that has it.
 * @param flags texts of the flags that were given
 * @param env an empty variable counts as none
 */
export function givenSettings(
  flags: Readonly<Partial<Record<SettingName, string>>>,
  env: Readonly<Record<string, string | undefined>>,
  layers: readonly Layer[] = [],
): GivenSettings {
  const result: Partial<Record<SettingName, Given>> = {};
  for (const name of Object.keys(ORIGINS) as SettingName[]) {
    const fromEnv = env[ORIGINS[name].env];
    const candidates = [
      { text: flags[name], origin: ORIGINS[name].flag },
      { text: fromEnv === '' ? undefined : fromEnv, origin: ORIGINS[name].env },
      ...layers.map(({ texts, origin }) => ({ text: texts[name], origin: origin(name) })),
    ];
    const chosen = candidates.find(({ text }) => text !== undefined);
    if (chosen?.text !== undefined) result[name] = { text: chosen.text, origin: chosen.origin };
  }
  return result;
}

/** A setting as it was given, for messages; a password in a URL is not shown. */
export function shownSetting(name: SettingName, given: Given | undefined): string {
  return given === undefined
    ? `${name}: its default`
    : `${name}: ${JSON.stringify(withoutPassword(given.text))} (${given.origin})`;
}

/**
 * Settings of what is given.
 * @throws UserError that names every wrong setting, where it came from, and what it may be
 */
export function readSettings(given: GivenSettings): Settings {
  const faults: string[] = [];
  const values = (Object.keys(SETTINGS) as SettingName[]).map((name) => {
    const { read, unset } = SETTINGS[name];
    const what = given[name];
    const value = what === undefined ? unset : read(what.text);
    if (what !== undefined && value instanceof Fault)
      faults.push(`${what.origin}=${JSON.stringify(withoutPassword(what.text))} ${value.what}`);
    return [name, value] as const;
  });
  if (faults.length > 0) throw new UserError(faults.join('\n'), EXIT.usage);
  return Object.fromEntries(values) as unknown as Settings;
}

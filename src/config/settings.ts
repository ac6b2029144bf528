import * as z from 'zod';
import { EXIT, UserError } from '../model/exit.ts';
import { formatDuration, parseDuration } from './duration.ts';

const NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const DOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

const duration = (shortest: number, longest: number) =>
  z.string().transform((text, context) => {
    const value = parseDuration(text);
    if (value === undefined || value < shortest || value > longest) {
      context.addIssue({
        code: 'custom',
        message: `is not a duration from ${formatDuration(shortest)} to ${formatDuration(longest)}; write it as 30s, 5m or 1h30m`,
      });
      return z.NEVER;
    }
    return value;
  });

const count = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d+$/, 'is not a whole number')
    .transform(Number)
    .pipe(z.number().min(least, `is below ${least}`).max(most, `is over ${most}`));

const namespaces = z.string().transform((text, context) => {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.length === 0) {
    context.addIssue({ code: 'custom', message: 'names no namespace; write * for all of them' });
    return z.NEVER;
  }
  if (names.includes('*')) return ['*'];
  for (const name of names)
    if (!NAME.test(name)) {
      context.addIssue({
        code: 'custom',
        message: `has "${name}", which is not a namespace's name; write names with commas between, or *`,
      });
      return z.NEVER;
    }
  return [...new Set(names)];
});

const connectTo = z.string().transform((text, context) => {
  const targets = new Map<string, { host: string; port: number }>();
  for (const entry of text.split(',').filter((part) => part.trim() !== '')) {
    const parts = /^([^:\s]+):(\d+):([^:\s]+):(\d+)$/.exec(entry.trim());
    const ports = [parts?.[2], parts?.[4]].map(Number);
    if (parts === null || ports.some((port) => port < 1 || port > 65535)) {
      context.addIssue({ code: 'custom', message: `has "${entry}"; write HOST:PORT:ADDRESS:PORT` });
      return z.NEVER;
    }
    targets.set(`${parts[1]}:${parts[2]}`, { host: parts[3] ?? '', port: Number(parts[4]) });
  }
  return targets;
});

const hostPatterns = z.string().transform((text) =>
  text
    .split(',')
    .map((host) => host.trim().toLowerCase())
    .filter((host) => host !== ''),
);

const deployment = z.string().transform((text, context) => {
  const [namespace = '', name = '', ...rest] = text.split('/');
  if (rest.length > 0 || !NAME.test(namespace) || !DOMAIN.test(name)) {
    context.addIssue({ code: 'custom', message: 'is not a Deployment; write NAMESPACE/NAME' });
    return z.NEVER;
  }
  return { namespace, name };
});

const baseUrl = z.string().transform((text, context) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const plain =
    url !== undefined && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (!plain || !/^https?:$/.test(url.protocol)) {
    context.addIssue({
      code: 'custom',
      message: 'is not an http or https URL without credentials, query and fragment',
    });
    return z.NEVER;
  }
  return url;
});

const address = z.string().transform((text, context) => {
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s[\]]*)):(\d{1,5})$/.exec(text.trim());
  const port = Number(parts?.[3]);
  if (parts === null || port > 65535) {
    context.addIssue({
      code: 'custom',
      message: 'is not an address; write HOST:PORT, such as 127.0.0.1:9090',
    });
    return z.NEVER;
  }
  return { host: parts[1] ?? parts[2] ?? '', port };
});

const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

/** The line of HolmesGPT that a version belongs to: from 0.32 on, a toolset takes several backends. */
function holmesLine(version: string): '0.20' | '0.32' {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  return major > 0 || minor >= 32 ? '0.32' : '0.20';
}

/** One setting: how its text becomes a value, what it is without one, and the environment variable that gives it. */
export const settingsSchema = z.object({
  discoveryInterval: duration(1_000, 24 * 3_600_000).default(300_000),
  namespaces: namespaces.default(['monitoring', 'observability', 'default']),
  configMapName: z.string().regex(DOMAIN, "is not a ConfigMap's name").default('kubernaut-toolset-config'),
  configMapNamespace: z.string().regex(NAME, "is not a namespace's name").default('kubernaut-system'),
  settingsConfigMap: z.string().regex(DOMAIN, "is not a ConfigMap's name").default('dynamic-toolset-config'),
  clusterDomain: z.string().regex(DOMAIN, 'is not a DNS domain').default('cluster.local'),
  allowedHosts: hostPatterns.default([]),
  allowExternalNames: flag.default(false),
  probe: z.enum(['direct', 'apiserver-proxy', 'none']).optional(),
  healthCheckTimeout: duration(100, 60_000).default(5_000),
  probeConcurrency: count(1, 1_000).default(32),
  connectTo: connectTo.default(new Map()),
  holmesgptVersion: z
    .string()
    .regex(/^v?\d+\.\d+(\.\d+)?$/, 'is not a version, such as 0.45.0')
    .transform(holmesLine)
    .default('0.32'),
  holmesgptDeployment: deployment.optional(),
  holmesgptConfigMap: flag.default(false),
  holmesgptReload: z.enum(['none', 'restart', 'endpoint']).default('none'),
  holmesgptReloadInterval: duration(1_000, 24 * 3_600_000).default(300_000),
  holmesgptUrl: baseUrl.optional(),
  revisionHistoryLimit: count(1, 100).default(10),
  leaderElection: flag.default(false),
  leaseName: z.string().regex(DOMAIN, "is not a Lease's name").default('dynamic-toolset'),
  metricsAddress: address.optional(),
  logLevel: z.enum(['error', 'warn', 'info', 'debug']).default('info'),
  logFormat: z.enum(['json', 'pretty']).default('json'),
});

export type Settings = z.infer<typeof settingsSchema>;
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
  metricsAddress: { env: 'METRICS_ADDRESS', flag: '--metrics-address' },
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
  const result = settingsSchema.safeParse(
    Object.fromEntries(Object.entries(given).map(([name, { text }]) => [name, text])),
  );
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => {
    const { text, origin } = given[issue.path[0] as SettingName] ?? { text: '', origin: '' };
    const what =
      issue.code === 'invalid_value' ? `is none of ${issue.values.map(String).join(', ')}` : issue.message;
    return `${origin}=${JSON.stringify(withoutPassword(text))} ${what}`;
  });
  throw new UserError(lines.join('\n'), EXIT.usage);
}

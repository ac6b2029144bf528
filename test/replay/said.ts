/** What the program said of one case, in the words of its truth. */
import { parse } from 'yaml';
import type { DiscoveredCondition, DiscoveredDocument } from './documents.ts';
import type { RoundReport } from './inside.ts';

/** A backend in one line for each of its facts, without the namespace of its case. */
export interface SaidOfBackend {
  readonly is: string;
  readonly proven: string;
  readonly healthy: string;
  readonly published: string;
  readonly tenant: string;
  readonly trusted: string;
  readonly also: readonly string[];
  /** The description, and the messages of the conditions. */
  readonly texts: string;
}

const NONE = '-';

/** Replaces the namespace of a case, where a text names a Service or a host of it. */
function withoutNamespace(text: string, namespace: string): string {
  return text
    .replaceAll(`${namespace}/`, 'NS/')
    .replaceAll(`.${namespace}.svc.cluster.local`, '')
    .replaceAll(`-n ${namespace} `, '-n NS ');
}

function placeOf(endpoint: string): string {
  const { protocol, port, pathname } = new URL(endpoint);
  const number = port === '' ? (protocol === 'https:' ? '443' : '80') : port;
  return `${protocol}${number}${pathname === '/' ? '' : pathname}`;
}

const reasonOf = (conditions: readonly DiscoveredCondition[], type: string): string =>
  conditions.find((condition) => condition.type === type)?.reason ?? NONE;

/** The backends of a namespace, by their entry point. */
export function backendsIn(report: RoundReport, namespace: string): Record<string, SaidOfBackend> {
  const { services } = JSON.parse(report.discovered.stdout) as DiscoveredDocument;
  const own = services.filter((service) => service.namespace === namespace);
  return Object.fromEntries(
    own.map(({ name, type, endpoint, alternates, conditions, description }) => [
      name,
      {
        is: `${type} ${placeOf(endpoint)}`,
        proven: reasonOf(conditions, 'Proven'),
        healthy: reasonOf(conditions, 'Healthy'),
        published: reasonOf(conditions, 'Published'),
        tenant: reasonOf(conditions, 'TenantKnown'),
        trusted: reasonOf(conditions, 'Trusted'),
        also: alternates.toSorted(),
        texts: withoutNamespace(
          [description, ...conditions.map(({ message }) => message)].join('\n'),
          namespace,
        ),
      },
    ]),
  );
}

/** The messages in the log of `serve`, with their level. */
function logOf({ served }: RoundReport): readonly { readonly level: string; readonly message: string }[] {
  const lines = served.stderr.split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line));
}

/** The warnings of `discover` and of `serve` about the Services of a namespace, one line each. */
export function warningsIn(report: RoundReport, namespace: string): string {
  const { warnings } = JSON.parse(report.discovered.stdout) as DiscoveredDocument;
  const all = [
    ...warnings.map(({ where, what, fix }) => `${where}: ${what}; ${fix ?? ''}`),
    ...logOf(report).flatMap(({ level, message }) => (level === 'warn' ? [message] : [])),
  ];
  return all
    .filter((line) => line.startsWith(`Service ${namespace}/`))
    .map((line) => withoutNamespace(line, namespace))
    .join('\n');
}

/** What `explain` advises on a Service, one line for each text and command. */
export function adviceOn(report: RoundReport, namespace: string, name: string): string {
  const run = report.explained[`${namespace}/${name}`];
  const { advice } = JSON.parse(run?.stdout || '{"advice":[]}') as {
    readonly advice: readonly { readonly what: string; readonly lines: readonly string[] }[];
  };
  const lines = advice.flatMap((each) => [each.what, ...each.lines]);
  return withoutNamespace(lines.join('\n'), namespace);
}

interface Instance {
  readonly [field: string]: unknown;
}

/** The URLs in an instance of a toolset, with its tenant. Of an HTTP API, which has hosts and paths, the first path. */
function linesOf(toolset: string, instance: Instance): string[] {
  const { hosts, paths, auth } = instance;
  if (Array.isArray(hosts) && Array.isArray(paths)) {
    const { name, value } = (auth ?? {}) as Instance;
    const tenant = name === 'X-Scope-OrgID' ? ` tenant=${value}` : '';
    return hosts.map((host) => `${toolset} ${host}${paths[0]}${tenant}`);
  }
  const headers = Object.values(instance).find(
    (value): value is Record<string, string> =>
      typeof value === 'object' && value !== null && 'X-Scope-OrgID' in value,
  );
  const tenant = headers === undefined ? '' : ` tenant=${headers['X-Scope-OrgID']}`;
  const urls = Object.values(instance).flatMap((value) =>
    [value].flat().filter((each): each is string => typeof each === 'string' && /^https?:/.test(each)),
  );
  return [...new Set(urls)].map((url) => `${toolset} ${url}${tenant}`);
}

/** What HolmesGPT's document has of a namespace, in its order. */
export function holmesLinesIn({ document }: RoundReport, namespace: string): string[] {
  const { toolsets = {}, mcp_servers: servers = {} } = (parse(document) ?? {}) as {
    readonly toolsets?: Readonly<Record<string, { readonly config?: Instance }>>;
    readonly mcp_servers?: Readonly<Record<string, { readonly config?: Instance }>>;
  };
  const instancesOf = (config: Instance): Instance[] => [
    config,
    ...Object.values(config).flatMap((value) =>
      Array.isArray(value)
        ? value.filter((each): each is Instance => typeof each === 'object' && each !== null)
        : [],
    ),
  ];
  const ofToolsets = Object.entries(toolsets).flatMap(([name, { config = {} }]) =>
    instancesOf(config).flatMap((instance) => linesOf(name, instance)),
  );
  const ofServers = Object.values(servers).flatMap(({ config = {} }) =>
    linesOf(`mcp/${String(config.mode)}`, config),
  );
  return [...new Set([...ofToolsets, ...ofServers])]
    .filter((line) => line.includes(`.${namespace}.svc.cluster.local`))
    .map((line) => withoutNamespace(line, namespace));
}

/** What HolmesGPT sends to which host, as its own code says and not as ours does. */
type Json = Record<string, unknown>;

const isMap = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The name by which a host is known here: Services as `service.namespace`. */
export function hostOf(url: string): string {
  const [, host = url] = /^(?:[a-z]+:\/\/)?([^/:]+)/i.exec(url) ?? [];
  const plain = host.toLowerCase().replace(/\.$/, '');
  return plain.replace(/\.svc(\.cluster\.local)?$/, '');
}

/** All texts in a value. */
function texts(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(texts);
  return isMap(value) ? Object.values(value).flatMap(texts) : [];
}

/** Names of the secrets in a value: here each is a variable of its own, called S and a number. */
export const secretsIn = (value: unknown): string[] =>
  texts(value).flatMap((text) => text.match(/\bS\d+\b/g) ?? []);

/** Fields of which an instance that has one inherits none. Source: `_ATOMIC_GROUPS` in multi_instance.py of 0.45.0. */
const GROUPS = [
  ['api_key', 'username', 'password', 'bearer_token'],
  ['client_cert', 'client_key'],
];

/** Source: `_parse_instances` and `_merge_instance_config` in the same file. */
function instances(config: Json): Json[] {
  const { instances: list, ...shared } = config;
  if (!Array.isArray(list) || list.length === 0) return [shared];
  return list.map((entry: Json) => {
    const inherited = { ...shared };
    for (const group of GROUPS)
      if (group.some((key) => key in entry)) for (const key of group) delete inherited[key];
    return { ...inherited, ...entry };
  });
}

const ADDRESSES = ['prometheus_url', 'api_url', 'url', 'broker', 'kafka_broker', 'management_url'];

/** One place to which requests go, and the secrets in them. HolmesGPT's own search for Prometheus is the host `?`. */
export interface Sent {
  readonly entry: string;
  readonly host: string;
  readonly secrets: readonly string[];
}

function toolset(entry: string, { type, config }: Json): Sent[] {
  if (!isMap(config)) return [];
  const sent = (address: unknown, carries: unknown): Sent => ({
    entry,
    host: typeof address === 'string' ? hostOf(address) : '?',
    secrets: secretsIn(carries),
  });
  if (type === 'http') {
    const { endpoints, ...shared } = config;
    return ((endpoints ?? []) as Json[]).flatMap((each) =>
      (each.hosts as string[]).map((host) => sent(host, [each, shared])),
    );
  }
  const list = config.clusters ?? config.kafka_clusters;
  const backends = Array.isArray(list) ? (list as Json[]) : instances(config);
  return backends.map((each) =>
    sent(
      ADDRESSES.map((field) => each[field]).find((value) => value),
      each,
    ),
  );
}

/** All that HolmesGPT sends with a document. */
export function sentBy(document: unknown): Sent[] {
  const { toolsets = {}, mcp_servers: servers = {} } = document as Record<string, Record<string, Json>>;
  return [
    ...Object.entries(toolsets).flatMap(([name, entry]) => toolset(name, entry)),
    ...Object.entries(servers).flatMap(([name, entry]) => {
      const { url = entry.url, ...rest } = entry.config as Json;
      // HolmesGPT refuses a server without a URL.
      return typeof url === 'string' ? [{ entry: name, host: hostOf(url), secrets: secretsIn(rest) }] : [];
    }),
  ];
}

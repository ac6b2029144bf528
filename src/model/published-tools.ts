/** What is read back of a tool in a `toolset.json`; empty where the document does not say it. */
export interface PublishedTool {
  /** The cluster of its Service, unless it is the home cluster. */
  readonly cluster?: string;
  readonly name: string;
  readonly type: string;
  readonly endpoint: string;
  readonly description: string;
  readonly namespace?: string;
  readonly metadata: Readonly<Record<string, string>>;
}

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function metadataOf(value: unknown): Record<string, string> {
  const entries = isObject(value) ? Object.entries(value) : [];
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** The tools in a `toolset.json`; none where it is something else, as after a hand edit. */
export function publishedTools(text: string | undefined): PublishedTool[] {
  let content: unknown;
  try {
    content = JSON.parse(text ?? '');
  } catch {
    // There is nothing to compare with, and it is put right anyway.
    return [];
  }
  const tools: unknown = isObject(content) ? content.tools : [];
  if (!Array.isArray(tools)) return [];
  return tools
    .filter(isObject)
    .flatMap(({ name, type, endpoint, description, cluster, namespace, metadata }) =>
      typeof name !== 'string'
        ? []
        : {
            ...(typeof cluster === 'string' ? { cluster } : {}),
            name,
            type: textOf(type),
            endpoint: textOf(endpoint),
            description: textOf(description),
            ...(typeof namespace === 'string' ? { namespace } : {}),
            metadata: metadataOf(metadata),
          },
    );
}

/** The names of the tools in a `toolset.json`; none where it is something else, as after a hand edit. */
export const toolNames = (text: string | undefined): string[] => publishedTools(text).map(({ name }) => name);

/** Where `toolset.json` has the hosts of a discovered MCP server among a tool's metadata, with commas between. */
export const HOSTS = 'hosts';

/** The hosts of discovered MCP servers in a `toolset.json`, by the URL of each. */
export function publishedHosts(toolset: string): Map<string, readonly string[]> {
  return new Map(
    publishedTools(toolset).flatMap(({ endpoint, metadata }) => {
      const hosts = Object.hasOwn(metadata, HOSTS) ? metadata[HOSTS] : undefined;
      return hosts === undefined ? [] : [[endpoint, hosts.split(',')] as const];
    }),
  );
}

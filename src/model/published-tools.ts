/** A published tool. Fields that its document does not have are empty. */
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

/** Metadata key with the hosts of a discovered MCP server, separated by commas. */
export const HOSTS = 'hosts';

/** The hosts of discovered MCP servers, by URL. */
export function publishedHosts(tools: readonly PublishedTool[]): Map<string, readonly string[]> {
  return new Map(
    tools.flatMap(({ endpoint, metadata }) => {
      const hosts = Object.hasOwn(metadata, HOSTS) ? metadata[HOSTS] : undefined;
      return hosts === undefined ? [] : [[endpoint, hosts.split(',')] as const];
    }),
  );
}

/** How a hand-written document is joined to the generated one. */
export interface JoinOptions {
  /** `0.20`: a built-in toolset supports one backend. */
  readonly holmesgptVersion: '0.20' | '0.32';
  /** The agent's namespace, if known: a Service name without a namespace belongs to it. */
  readonly namespace?: string | undefined;
  /** The hand-written document is the whole configuration of HolmesGPT, so it can have options without an address. */
  readonly standsAlone: boolean;
  /** The hosts of discovered MCP servers, by URL. */
  readonly hosts?: Hosts;
  /** The addresses of tools. A generated backend with another address is from overrides. Without this set, none is. */
  readonly discovered?: ReadonlySet<string>;
}

/** Hosts of discovered MCP servers, by URL. */
export type Hosts = ReadonlyMap<string, readonly string[]>;

/** Something that a command writes to. */
export interface Sink {
  readonly isTTY?: boolean;
  readonly columns?: number;
  /** Writes a text; on a terminal, none of its characters steers it. */
  write(text: string): unknown;
  /** As `write`, for a text that holds our own colours, and in which texts of others are `visible` already. */
  writePainted?(text: string): unknown;
}

/** Where a command writes: results to one stream, everything else to the other. */
export interface Output {
  readonly result: Sink;
  readonly messages: Sink;
}

/** What the command line gives to a command. */
export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: NodeJS.ReadableStream;
  readonly output: Output;
  readonly version: string;
  /** What a person types to call the program; `dynamic-toolset` if nothing is said. */
  readonly name?: string;
  readonly signal: AbortSignal;
  /** Takes what is to be done when a person asks for the configuration to be read again, as by SIGHUP. */
  readonly onReload?: (reload: () => void) => void;
}

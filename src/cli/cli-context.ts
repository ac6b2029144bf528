/** A stream that a command writes to. */
export interface Sink {
  readonly isTTY?: boolean;
  readonly columns?: number;
  /** Writes a text, with control characters escaped on a terminal. */
  write(text: string): unknown;
  /** Like `write`, but keeps our own colours. The caller has escaped untrusted texts with `visible`. */
  writePainted?(text: string): unknown;
}

/** The streams of a command: one for results, one for everything else. */
export interface Output {
  readonly result: Sink;
  readonly messages: Sink;
}

/** The environment that a command runs in. */
export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: NodeJS.ReadableStream;
  readonly output: Output;
  readonly version: string;
  /** The name that the user types to run the program. Default: `dynamic-toolset`. */
  readonly name?: string;
  readonly signal: AbortSignal;
  /** Registers a callback that reloads the configuration, for example on SIGHUP. */
  readonly onReload?: (reload: () => void) => void;
}

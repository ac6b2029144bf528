/** The environment variables of the process, as a value. */
export type Env = Readonly<Record<string, string | undefined>>;

/** The process that the app runs in. */
export interface Host {
  readonly env: Env;
  /** The program's version. */
  readonly version: string;
}

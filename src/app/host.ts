/** The environment variables of the process, as a value. */
export type Env = Readonly<Record<string, string | undefined>>;

/** Where the program runs. */
export interface Host {
  readonly env: Env;
  /** The program's version. */
  readonly version: string;
}

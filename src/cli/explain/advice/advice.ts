/** What would change the verdict, and the commands or the configuration for it. */
export interface Advice {
  readonly what: string;
  readonly lines: readonly string[];
}

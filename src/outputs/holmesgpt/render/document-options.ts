import type { Credentials } from '../../../model/credentials.ts';
import type { DiscoveredService } from '../../../model/discovery.ts';
import type { HolmesPatch } from '../overrides.ts';

/** The agent's version, and the inputs other than its tools. */
export interface HolmesOptions {
  readonly credentials: Credentials;
  /** `0.20`: one backend for each built-in toolset; `0.32` and newer: several, as instances. */
  readonly holmesgptVersion: '0.20' | '0.32';
  /** Whether the agent sends its own token to each Prometheus without other credentials. */
  readonly holmesgptOpenshift?: boolean;
  /** Joined to the document. */
  readonly patch: HolmesPatch;
  /** The configured namespaces, the most important first. */
  readonly namespaces?: readonly string[];
  /** All backends that were found, also those that are no tool. Overrides may mean one of them. */
  readonly found?: readonly DiscoveredService[] | undefined;
  /** The published file. Where only one backend can have a place, the current one keeps it. */
  readonly publishedFile?: string | undefined;
}

/** The newest agent, without credentials. */
export const NEWEST: HolmesOptions = { credentials: {}, holmesgptVersion: '0.32', patch: {} };

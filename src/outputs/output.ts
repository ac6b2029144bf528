import type { Credentials } from '../model/credentials.ts';
import type { MappingRules } from '../model/detector.ts';
import type { Problem } from '../model/discovery.ts';
import type { Cut, Documents, Omission, Toolset } from '../model/documents.ts';
import type { Overrides, OverridesPart } from '../model/overrides.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import type { YamlLimits } from '../model/yaml-document.ts';
import type { Limits } from '../planning/budget.ts';
import type { Tool } from '../planning/tools.ts';
import type { ContentFaults, ValueFault } from './faults.ts';

/** One document that a renderer made. */
export interface Artifact {
  /** The key under which it is published. */
  readonly name: string;
  readonly mediaType: string;
  readonly content: string;
}

/** A document that an output renders. */
export interface DocumentType extends Pick<Artifact, 'name' | 'mediaType'> {
  /** How a file of this type is recognized: by its path, or by its top-level keys. */
  readonly file?: { readonly path: RegExp; readonly keys: readonly string[] };
  /** What is wrong with a text of this type. Never throws for what the text holds. */
  check(text: string, limits: YamlLimits): ContentFaults;
}

/** What every renderer gets, in addition to its own settings. */
export interface RenderOptions {
  readonly credentials: Credentials;
  readonly overrides: Overrides;
  readonly limits: Limits;
  /** The configured namespaces, the most important first. */
  readonly namespaces?: readonly string[] | undefined;
  /** The documents that are published, by name. A backend that has a place of which there is one keeps it. */
  readonly published?: Documents | undefined;
}

/** What a renderer made of tools. */
export interface Rendered {
  readonly artifacts: readonly Artifact[];
  readonly notes?: readonly Problem[];
  /** Tools that the output leaves out although other outputs have them. */
  readonly omissions?: readonly Omission[];
  /** What the output's own limits left out of its artifacts, by tool. */
  readonly cuts?: readonly Cut[];
  /** The same in one line per namespace. */
  readonly limitNotes?: readonly Problem[];
}

/** How documents that are too large for one ConfigMap are divided among several, which hold a complete document each. */
export interface DivisionRules {
  /** The whole of the parts of a document. @param parts texts in the order of their ConfigMaps; agents need not take the whole */
  join(parts: readonly string[]): string;
}

/** An output's own part of `overrides.yaml`. */
export interface OutputOverrides<Part = unknown> extends OverridesPart<Part> {
  /** What is wrong with a part that fits the schema. Paths begin in the part. */
  faults?(part: Part): readonly ValueFault[];
}

/**
 * Everything the program knows about one format that an agent reads. Each output is a folder of its own below `outputs`,
 * and `registry.ts` lists them.
 * @template Settings the settings that its renderer needs
 */
export interface Output<Settings = unknown> {
  /** Names it in detector files, in `overrides.yaml` and in the API. */
  readonly id: string;
  readonly documents: readonly DocumentType[];
  /** The part of a detector file that says how a backend appears in this output. */
  readonly mapping?: MappingRules;
  /**
   * Pure: the same tools give the same artifacts. Each document ends in one line break.
   * @param ordered in order of precedence
   */
  render(ordered: readonly Tool[], options: RenderOptions & Settings): Rendered;
  /** About how many bytes a tool takes in the artifacts. */
  sizeOf(tool: Tool): number;
  /** The tools in documents that it rendered, as far as they say; none where they are something else. */
  readBack?(documents: Documents): readonly PublishedTool[];
  /**
   * Absent: what does not fit into one ConfigMap is left out. With it, the output renders some of the tools for each
   * ConfigMap, without cuts and omissions of its own.
   */
  readonly division?: DivisionRules;
  /** Whether the artifacts depend on what is published. */
  usesPublished?(settings: Settings): boolean;
  /** Its part of `overrides.yaml`, under its id. */
  readonly overrides?: OutputOverrides;
}

/** What was done so that an agent reads what is published, or why not. `dueIn` and `retryIn` in milliseconds. */
export type FollowOutcome =
  /** `learned`: somebody changed the file, and their changes were kept. */
  | { readonly kind: 'agent-written'; readonly target: string; readonly learned: boolean }
  | { readonly kind: 'agent-restarted'; readonly target: string }
  | { readonly kind: 'agent-reloaded'; readonly target: string }
  | { readonly kind: 'agent-reload-delayed'; readonly target: string; readonly dueIn: number }
  /** Nothing is written or reloaded until a user fixes this. Reported once. */
  | { readonly kind: 'agent-refused'; readonly problem: Problem }
  /** Something in a hand-written file has an effect that its author may not expect. Reported once. */
  | { readonly kind: 'agent-note'; readonly problem: Problem }
  | { readonly kind: 'agent-failed'; readonly error: unknown; readonly retryIn: number };

/** What is published now. */
export interface FollowInput extends Toolset {
  /** Names of the documents that this reconciliation wrote, changed or not. */
  readonly written: readonly string[];
}

/** Makes sure that an agent reads what is published. */
export interface Follower {
  /**
   * Call it after each reconciliation. Does nothing if nothing changed and nothing is due; checks the cluster again after
   * each interval. A call during another one only updates the desired state; the first call goes on until it is reached.
   * @throws only when the signal is aborted; all failures are outcomes
   */
  follow(published: FollowInput, signal: AbortSignal): Promise<readonly FollowOutcome[]>;
  /** Milliseconds until `follow` has something to do although nothing changed; `undefined` if it has not. */
  nextDue(): number | undefined;
}

import type { Credential, Credentials } from '../model/credentials.ts';
import type { MappingRules, Mappings } from '../model/detector.ts';
import type { DiscoveredService, Problem, Verdict } from '../model/discovery.ts';
import type { Cut, Documents, Omission, Toolset } from '../model/documents.ts';
import type { Overrides, OverridesPart } from '../model/overrides.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import type { InUseSince } from '../model/seniority.ts';
import type { YamlLimits } from '../model/yaml-document.ts';
import type { Steps } from '../model/yield-every.ts';
import type { Limits } from '../planning/budget.ts';
import type { Tool } from '../planning/tools.ts';
import type { ContentFaults, ValueFault } from './faults.ts';
import type { Standing } from './standing.ts';

/** One rendered document. */
export interface Artifact {
  /** The key under which it is published. */
  readonly name: string;
  readonly mediaType: string;
  readonly content: string;
}

/** A document that an output renders. */
export interface DocumentType extends Pick<Artifact, 'name' | 'mediaType'> {
  /** How `validate` recognizes a file of this type: by its path, or by its top-level keys. */
  readonly file?: { readonly path: RegExp; readonly keys: readonly string[] };
  /**
   * What a line of comment begins with, such as `#`. `generate --out` replaces no file of others. It knows its own by a first
   * line that it adds as a comment, with a hash of the rest. Absent, as for JSON: by a text that is laid out as
   * `jsonText(value, 2)` and a line break, and in which `check` finds no fault.
   */
  readonly comment?: string;
  /** Checks a text of this type. Never throws because of its content. */
  check(text: string, limits: YamlLimits): ContentFaults;
}

/** What every renderer gets, in addition to its own settings. */
export interface RenderOptions {
  readonly credentials: Credentials;
  readonly overrides: Overrides;
  readonly limits: Limits;
  /** The configured namespaces, the most important first. */
  readonly namespaces?: readonly string[] | undefined;
  /** All backends that were found, also those that are no tool. Overrides may mean one of them. */
  readonly found?: readonly DiscoveredService[];
  /** When Services came into use: where a limit takes some, the earlier ones stay. */
  readonly inUseSince?: InUseSince;
  /** The published documents, by name. A backend that already has a place that only one can have keeps it. */
  readonly published?: Documents | undefined;
}

/** The result of rendering tools. */
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

/** How documents that are too large for one ConfigMap are divided among several, each with a complete document. */
export interface DivisionRules {
  /** Joins the parts of a document. @param parts texts in the order of their ConfigMaps; agents need not accept the result */
  join(parts: readonly string[]): string;
}

/** Before which tools of an MCP server an agent asks its user. */
export interface Questions {
  asksBefore(tool: string): boolean;
  /** Whether it asks before every tool, whatever its name. */
  readonly asksBeforeAll: boolean;
  /** What is wrong with a list that a person wrote for that. */
  readonly problems: readonly Problem[];
}

/** What an agent does with the published documents, because of its own configuration. */
export interface InForce {
  /** The tools that it does not get. */
  readonly leftOut: readonly Omission[];
  /** By key of an MCP server: the tools before which it asks, if they are others than the documents say. */
  readonly lists: Readonly<Record<string, readonly string[]>>;
}

/** An output's own part of `overrides.yaml`. */
export interface OutputOverrides<Part = unknown> extends OverridesPart<Part> {
  /** Checks a part that matches the schema. Paths are relative to the part. */
  faults?(part: Part): readonly ValueFault[];
}

/**
 * Everything the program knows about one format that an agent reads. Each output is a folder of its own below `outputs`,
 * and `registry.ts` lists them.
 * @template Settings the settings that its renderer needs
 */
export interface Output<Settings = unknown> {
  /** Its name in detector files, in `overrides.yaml` and in the API. */
  readonly id: string;
  readonly documents: readonly DocumentType[];
  /** The part of a detector file that says how a backend appears in this output. */
  readonly mapping?: MappingRules;
  /**
   * Pure: the same tools give the same artifacts. Each document ends in one line break.
   * @param ordered in order of precedence
   */
  render(ordered: readonly Tool[], options: RenderOptions & Settings): Rendered | Steps<Rendered>;
  /** Approximate size of a tool in the artifacts, in bytes. */
  sizeOf(tool: Tool): number;
  /** Reads the tools back from documents that it rendered; none if the documents are something else. */
  readBack?(documents: Documents): readonly PublishedTool[];
  /**
   * Whether documents that it rendered contain a published tool. Absent: they contain every tool.
   * The result's `mappings` are those of the tool's detector, if they are known.
   */
  contains?(toolset: Toolset): (tool: PublishedTool, mappings?: Mappings) => boolean;
  /**
   * Absent: what does not fit into one ConfigMap is left out. With it, the output renders some of the tools for each
   * ConfigMap, without cuts and omissions of its own.
   */
  readonly division?: DivisionRules;
  /** Whether the artifacts depend on what is published. */
  usesPublished?(settings: Settings): boolean;
  /**
   * The entries with which an agent would run tools without asking, although it asks before them now, or although it is
   * unknown which tools these are. Absent: its agent asks nothing.
   */
  loosened?(standing: Standing, next: Toolset): readonly Problem[];
  /**
   * Why its agent asks before each tool of an MCP server, also before those that the server declares read-only. `undefined`
   * if it does not. Absent: its agent asks nothing.
   * @param key the server's key, as `displayKey` formats it
   * @param verdict with a complete list of tools
   */
  whyAsksBeforeEach?(key: string, verdict: Verdict, overrides: Overrides): string | undefined;
  /**
   * Before which tools of an MCP server its agent asks. Absent: its agent asks nothing.
   * @param key the server's key, as `displayKey` formats it
   * @param lists see `InForce.lists`
   */
  questionsOf?(key: string, verdict: Verdict, overrides: Overrides, lists: InForce['lists']): Questions;
  /** The names of entries that an agent would use, and that its own part of overrides switches off or removes. */
  switchedOn?(next: Toolset, overrides: Overrides): readonly string[];
  /**
   * The entries with which an agent would send credentials to a place in the cluster to which neither toolset sends them.
   * @param published what the inputs produced last
   * @param generated what the settings and overrides of now produce for the same Services
   */
  unpaired?(next: Toolset, published: Toolset, generated: () => Toolset): readonly Problem[];
  /** The keys of credentials that its agent uses for a backend with this mapping, as an example; none if it uses none. */
  credentialKeys?(mapping: unknown): readonly (keyof Credential)[];
  /** Its part of `overrides.yaml`, under its id. */
  readonly overrides?: OutputOverrides;
}

/** The result of passing the published documents on to an agent. `dueIn` and `retryIn` are in milliseconds. */
export type FollowOutcome =
  /**
   * `learned`: somebody changed the file, and what they wrote in these entries changed. `isReplaced`: they put another file in
   * its place.
   */
  | {
      readonly kind: 'agent-written';
      readonly target: string;
      readonly learned?: readonly string[];
      readonly isReplaced?: boolean;
    }
  | { readonly kind: 'agent-restarted'; readonly target: string }
  | { readonly kind: 'agent-reloaded'; readonly target: string }
  | { readonly kind: 'agent-reload-delayed'; readonly target: string; readonly dueIn: number }
  /** Nothing is written or reloaded until a user fixes this. Reported once. */
  | { readonly kind: 'agent-refused'; readonly problem: Problem }
  /** Something in a hand-written file has an effect that its author may not expect. Reported once. */
  | { readonly kind: 'agent-note'; readonly problem: Problem }
  | { readonly kind: 'agent-failed'; readonly error: unknown; readonly retryIn: number };

/** Whether an agent has what is published. */
export interface AgentState {
  /** Why it does not; absent if it does. */
  readonly problem?: Problem;
  /** What was wrong is corrected, and the agent reloads the file later. */
  readonly reloadsLater?: true;
  /** The tools that it does not get, because its own configuration lists, removes or switches off the same. Absent: none. */
  readonly leftOut?: readonly Omission[];
}

/** The published toolset. */
export interface FollowInput extends Toolset {
  /** Names of the documents that this reconciliation wrote, changed or not. */
  readonly written: readonly string[];
}

/** Callbacks of a follower's watch. */
export interface FollowerListener {
  /** Another client changed what the agent reads, so `nextDue` may be sooner. */
  changed(): void;
  /** Something that the operator should know. Called once for each problem. */
  note(problem: Problem): void;
}

/** Makes sure that an agent reads the published documents. */
export interface Follower {
  /**
   * Call it after each reconciliation. Does nothing if nothing changed and nothing is due; checks the cluster again after
   * each interval. A call during another one only updates the desired state, and `nextDue` says that another call is due.
   * @throws only when the signal is aborted; all failures are outcomes
   */
  follow(published: FollowInput, signal: AbortSignal): Promise<readonly FollowOutcome[]>;
  /** Notices changes by other clients, until the signal is aborted. Without it, `follow` notices them at each interval. */
  watch?(listener: FollowerListener, signal: AbortSignal): Promise<void>;
  /** Bytes that the agent has for the documents that are not divided, if it had too little for the last ones. */
  readonly room?: number | undefined;
  /** Whether the agent has what is published, as of the last attempt to update it. `undefined` before it is known. */
  readonly state?: AgentState | undefined;
  /** Milliseconds until `follow` has something to do although nothing changed; `undefined` if it has not. */
  nextDue(): number | undefined;
}

import type { Explanation } from '../../detection/explain.ts';
import type { Backend } from '../../model/backend.ts';
import type { BackendId } from '../../model/backend-id.ts';
import type { Finding } from '../../model/condition.ts';
import type { Approval, DiscoveredService, ExceededLimit, Problem, Verdict } from '../../model/discovery.ts';
import type { Cut } from '../../model/documents.ts';
import type { PublishedTool } from '../../model/published-tools.ts';
import type { Questions } from '../../outputs/output.ts';

/** A published tool of a Service that is left out now. */
export interface StillPublished {
  readonly tool: string;
  /** Until when it stays, and why, as the rest of a sentence. */
  readonly why: string;
}

/** Everything that `explain` prints about one Service. */
export interface ExplainResult {
  /** The words of a command line that choose what was read; `undefined`: the cluster. */
  readonly source: readonly string[] | undefined;
  readonly explanation: Explanation;
  /** Verdicts of the probed entry points, by Service name, in probe order. */
  readonly probed: ReadonlyMap<string, Verdict>;
  /** The verdict of the entry point in use, or of the preferred one if the backend is left out. */
  readonly verdict: Verdict | undefined;
  readonly service: DiscoveredService | undefined;
  /** Why the agent asks before each tool of an MCP server, also before read-only ones. `undefined` if it does not. */
  readonly asksBeforeEach: string | undefined;
  /** Before which tools of an MCP server the agent asks. */
  readonly questions: Questions | undefined;
  readonly approval: Approval | undefined;
  readonly problems: readonly Problem[];
  /** The limit that leaves the backend out before it is probed. */
  readonly limit: ExceededLimit | undefined;
  /** What limits remove from its tool. */
  readonly cuts: readonly Cut[];
  /** The id of the backend. `undefined` if the backend is left out. */
  readonly id: BackendId | undefined;
  /** The conditions of the backend. Empty if no detector matches. */
  readonly conditions: readonly Finding[];
  /** What the published documents have of the backend: its tool, or the one of another of its Services. */
  readonly published: PublishedTool | undefined;
  /** Whether the published documents were read. If not, conditions only repeat the other sections. */
  readonly isPublicationKnown: boolean;
  /** Its published tools, although it is left out now, or is not the entry point in use, each with the reason. */
  readonly stillPublished: readonly StillPublished[];
  /** Its tool, if `overrides.yaml` gives that a URL of its own. */
  readonly ownTool: PublishedTool | undefined;
  /** The backend as it would be if the documents that `generate` prints were published. `undefined` if it is left out. */
  readonly generated: Backend | undefined;
}

/** Whether the backend becomes a tool in any document. */
export const isUsed = ({ generated }: ExplainResult): boolean => generated?.published !== undefined;

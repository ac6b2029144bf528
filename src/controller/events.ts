import type { DiscoveredService, Problem } from '../model/discovery.ts';
import type { Cut, Omission } from '../model/documents.ts';
import type { FailureReason } from '../model/failure-reason.ts';
import type { Plan } from '../model/published.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import type { AgentState, FollowOutcome } from '../outputs/output.ts';
import type { DiffLine } from '../planning/changes.ts';
import type { Observed } from '../planning/observed.ts';
import type { ProbeEvent } from '../probing/prober.ts';
import type { SourceEvent } from '../sources/source.ts';
import type { Ids } from './backend-ids.ts';
import type { ToolChange } from './tool-changes.ts';

export type { AgentState, FollowOutcome };

/** Events of the engine, consumed by logging, metrics and the read model. Times are in milliseconds. */
export type EngineEvent = EngineFact & {
  /** The target of the event; absent for the home target, and for events about no target. */
  readonly targetId?: string;
};

type EngineFact =
  | SourceEvent
  | ProbeEvent
  /** A snapshot of all backends: after each change of the inputs, and after probes. */
  | {
      readonly kind: 'pass';
      readonly cycle: number;
      /** The source was listed completely, and all backends that were due have been probed. */
      readonly full: boolean;
      readonly before: readonly DiscoveredService[];
      readonly services: readonly DiscoveredService[];
      /** Ids of the backends by their entry points. */
      readonly ids: Ids;
      /** Number of candidates that are left out because responses contradict their type; absent: none. */
      readonly disproven?: number;
      readonly problems: readonly Problem[];
      /** Number of examined Services. */
      readonly examined: number;
      /** Duration of this run; for a full discovery, the time since the source was listed. */
      readonly milliseconds: number;
      /** Duration of detection since the previous snapshot; 0 if only probes had new results. */
      readonly detecting: number;
      /** When the first Service changed that affects the documents, on the clock of `performance.now`. */
      readonly changedAt: number | undefined;
    }
  /** A discovery run failed, which is a bug. The last snapshot stays. `attempt`: number of consecutive failures. */
  | {
      readonly kind: 'discovery-failed';
      readonly cycle: number;
      readonly attempt: number;
      readonly error: unknown;
      readonly retryIn: number;
    }
  /** A reconciliation ended. `ok`: the desired state is published. `problems`: notes about the documents. */
  | {
      readonly kind: 'reconciled';
      readonly cycle: number;
      readonly ok: boolean;
      readonly problems: readonly Problem[];
      /** Whether there may be others: the overrides are invalid, or it failed before all were known. */
      readonly isPartial?: boolean;
      readonly milliseconds: number;
      /** Tools that limits removed from the documents; absent if none were generated. */
      readonly cuts?: readonly Cut[] | undefined;
      /** Tools that one document has and another one leaves out; absent if none were generated. */
      readonly omissions?: readonly Omission[] | undefined;
      /** The published tools, if known. */
      readonly tools: readonly PublishedTool[] | undefined;
      /** The number of the newest revision, if there is a history. */
      readonly revision: number | undefined;
      /** False if the published state could not be recorded in the history. */
      readonly recorded: boolean;
    }
  /**
   * The set of MCP servers and annotated Services that wait for approval changed. `waiting`: all of them, as
   * `namespace/name`; `fresh`: those that did not wait before.
   */
  | {
      readonly kind: 'approvals-waiting';
      readonly cycle: number;
      readonly waiting: readonly string[];
      readonly fresh: readonly string[];
    }
  /** The tools of a published MCP server changed. */
  | { readonly kind: 'tools-changed'; readonly cycle: number; readonly change: ToolChange }
  /** The published state was read, also by a replica that does not write. */
  | { readonly kind: 'observed'; readonly live: Observed | undefined }
  /** A replica that does not write cannot read the published state. */
  | {
      readonly kind: 'observe-failed';
      readonly cycle: number;
      readonly error: unknown;
      readonly retryIn: number;
    }
  /** Documents were generated. Not `ok`: the overrides are invalid, so the last documents stay. */
  | { readonly kind: 'generated'; readonly cycle: number; readonly ok: boolean }
  | { readonly kind: 'published'; readonly cycle: number; readonly plan: Plan; readonly target: string }
  /** Another client changed generated documents, and the change is reverted. */
  | {
      readonly kind: 'drift';
      readonly cycle: number;
      readonly keys: readonly string[];
      readonly diff: readonly DiffLine[];
    }
  /** The same external change keeps coming back. The program stops reverting it for a while. */
  | {
      readonly kind: 'drift-repeated';
      readonly cycle: number;
      readonly keys: readonly string[];
      readonly retryIn: number;
    }
  /** The published object was deleted and is created again, with its last overrides if they are known. */
  | { readonly kind: 'recreated'; readonly cycle: number; readonly overrides: boolean }
  /** The overrides are invalid. The last toolset, with this number of tools, stays until they are fixed. */
  | {
      readonly kind: 'overrides-invalid';
      readonly cycle: number;
      readonly faults: string;
      readonly tools: number;
    }
  | { readonly kind: 'overrides-mended'; readonly cycle: number }
  /** Many tools would be removed at once. They stay published until their holds end. */
  | {
      readonly kind: 'removal-held';
      readonly cycle: number;
      readonly tools: readonly string[];
      readonly retryIn: number;
    }
  /** Tools whose removal was held are removed, because the hold ended or an operator allowed it. */
  | {
      readonly kind: 'held-removed';
      readonly cycle: number;
      readonly tools: readonly string[];
      readonly allowed: boolean;
    }
  /** The published documents were invalid when they were read back, so an earlier revision was published. */
  | {
      readonly kind: 'rolled-back';
      readonly cycle: number;
      readonly to: number;
      readonly faults: readonly string[];
    }
  /** A rollback keeps the published documents, or ends: the inputs changed, its annotations were removed, or it is unwanted now. */
  | {
      readonly kind: 'rollback';
      readonly cycle: number;
      readonly to: number;
      readonly holds: boolean;
      readonly removed?: true;
      /** Whether a person accepted something in it that is not approved, switched off or excluded. */
      readonly accepted?: true;
      /** What it published and people do not want now. */
      readonly revoked?: string;
    }
  /** The result of making the agent load what is published. */
  | { readonly kind: 'agent'; readonly cycle: number; readonly outcome: FollowOutcome }
  /** Whether the agent has what is published changed, or why it does not. `undefined`: there is no agent, or it is unknown. */
  | {
      readonly kind: 'agent-state';
      readonly cycle: number;
      readonly state: AgentState | undefined;
      readonly before: AgentState | undefined;
    }
  /** The configuration changed; `changes` lists the differences. Everything is discovered again. */
  | { readonly kind: 'reconfigured'; readonly changes: readonly string[] }
  /** A changed configuration is invalid; the previous one stays in force. */
  | { readonly kind: 'configuration-refused'; readonly error: Error }
  /** The configuration is valid again, and equal to the one in force. */
  | { readonly kind: 'configuration-mended' }
  | {
      readonly kind: 'source-failed';
      /** The cluster that could not be read; absent for the home cluster. */
      readonly cluster?: string;
      readonly error: unknown;
      readonly reason: FailureReason;
      readonly retryIn: number;
    }
  /** All clusters can be read again. */
  | { readonly kind: 'source-recovered' }
  /** The target cannot be watched, so external changes are noticed only with each full resync. */
  | { readonly kind: 'watch-failed'; readonly error: Error }
  | {
      readonly kind: 'publish-failed';
      readonly cycle: number;
      /** Number of consecutive failures. */
      readonly attempt: number;
      readonly error: unknown;
      readonly retryIn: number;
    };

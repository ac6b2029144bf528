import type { DiscoveredService, Problem } from '../model/discovery.ts';
import type { Cut, Omission } from '../model/documents.ts';
import type { FailureReason } from '../model/failure-reason.ts';
import type { Plan } from '../model/published.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import type { FollowOutcome } from '../outputs/output.ts';
import type { DiffLine } from '../planning/changes.ts';
import type { Observed } from '../planning/observed.ts';
import type { ProbeEvent } from '../probing/prober.ts';
import type { SourceEvent } from '../sources/source.ts';
import type { Ids } from './backend-ids.ts';
import type { ToolChange } from './tool-changes.ts';

export type { FollowOutcome };

/** What the engine did, for those who log, count or show it. Times are in milliseconds. */
export type EngineEvent = EngineFact & {
  /** The target that this is about; absent for the home target, and for what is about no target. */
  readonly targetId?: string;
};

type EngineFact =
  | SourceEvent
  | ProbeEvent
  /** A snapshot of all backends: after each change of the inputs, and after probes. */
  | {
      readonly kind: 'pass';
      readonly cycle: number;
      /** Everything was listed, and all backends that were due have answered. */
      readonly full: boolean;
      readonly before: readonly DiscoveredService[];
      readonly services: readonly DiscoveredService[];
      /** Ids of the backends by their entry points. */
      readonly ids: Ids;
      /** Candidates that are left out because their answers contradict their type; absent: none. */
      readonly disproven?: number;
      readonly problems: readonly Problem[];
      /** Services that were examined. */
      readonly examined: number;
      /** What this run took; of a full discovery, the time since everything was listed. */
      readonly milliseconds: number;
      /** Time that detection took since the snapshot before; 0 where only probes brought something new. */
      readonly detecting: number;
      /** When the first Service changed that made other documents follow, on the clock of `performance.now`. */
      readonly changedAt: number | undefined;
    }
  /** A discovery run failed, which is a bug; the last snapshot stands. `attempt`: how many in a row, this one included. */
  | {
      readonly kind: 'discovery-failed';
      readonly cycle: number;
      readonly attempt: number;
      readonly error: unknown;
      readonly retryIn: number;
    }
  /** A reconciliation is over, and what a person should know of the documents; `ok`: what shall be published is. */
  | {
      readonly kind: 'reconciled';
      readonly cycle: number;
      readonly ok: boolean;
      readonly problems: readonly Problem[];
      readonly milliseconds: number;
      /** What limits keep out of the documents; absent where none were made. */
      readonly cuts?: readonly Cut[] | undefined;
      /** Tools that are in one document and left out of another one; absent where none were made. */
      readonly omissions?: readonly Omission[] | undefined;
      /** The tools that are published now, as far as they are known. */
      readonly tools: readonly PublishedTool[] | undefined;
      /** The number of the newest revision, where revisions are kept. */
      readonly revision: number | undefined;
      /** What is published could be recorded in the history, where there is one. */
      readonly recorded: boolean;
    }
  /**
   * MCP servers and annotated Services wait for a person, others than before. `waiting`: all of them, as `namespace/name`;
   * `fresh`: those that did not wait before.
   */
  | {
      readonly kind: 'approvals-waiting';
      readonly cycle: number;
      readonly waiting: readonly string[];
      readonly fresh: readonly string[];
    }
  /** The tools of an MCP server that is published are others than they were. */
  | { readonly kind: 'tools-changed'; readonly cycle: number; readonly change: ToolChange }
  /** What is published, as it was just read: also by a replica that does not write. */
  | { readonly kind: 'observed'; readonly live: Observed | undefined }
  /** A replica that does not write cannot read what is published. */
  | {
      readonly kind: 'observe-failed';
      readonly cycle: number;
      readonly error: unknown;
      readonly retryIn: number;
    }
  /** Documents were made; not `ok`: the overrides cannot be read, so the last ones stay. */
  | { readonly kind: 'generated'; readonly cycle: number; readonly ok: boolean }
  | { readonly kind: 'published'; readonly cycle: number; readonly plan: Plan; readonly target: string }
  /** Somebody changed generated documents; they are put right. */
  | {
      readonly kind: 'drift';
      readonly cycle: number;
      readonly keys: readonly string[];
      readonly diff: readonly DiffLine[];
    }
  /** A program writes the same thing again and again: it is let be for a while. */
  | {
      readonly kind: 'drift-repeated';
      readonly cycle: number;
      readonly keys: readonly string[];
      readonly retryIn: number;
    }
  /** What was published was deleted; it is made anew, with the overrides that were there where these are known. */
  | { readonly kind: 'recreated'; readonly cycle: number; readonly overrides: boolean }
  /** The overrides cannot be read; the last toolset stays until they are mended. */
  | { readonly kind: 'overrides-invalid'; readonly cycle: number; readonly faults: string }
  | { readonly kind: 'overrides-mended'; readonly cycle: number }
  /** Many tools would be removed at once. They stay published until their holds end. */
  | {
      readonly kind: 'removal-held';
      readonly cycle: number;
      readonly tools: readonly string[];
      readonly retryIn: number;
    }
  /** What was published could not be used as it was read back, so an earlier revision was published. */
  | {
      readonly kind: 'rolled-back';
      readonly cycle: number;
      readonly to: number;
      readonly faults: readonly string[];
    }
  /** A rollback keeps what is published, or the inputs changed and it does so no more. */
  | { readonly kind: 'rollback'; readonly cycle: number; readonly to: number; readonly holds: boolean }
  /** What was done so that the agent reads what is published. */
  | { readonly kind: 'agent'; readonly cycle: number; readonly outcome: FollowOutcome }
  /** The configuration changed; `changes` says what is other than before. All is looked at anew. */
  | { readonly kind: 'reconfigured'; readonly changes: readonly string[] }
  /** A changed configuration cannot be used; the one before stays in force. */
  | { readonly kind: 'configuration-refused'; readonly error: Error }
  /** The configuration is again the one in force. */
  | { readonly kind: 'configuration-mended' }
  | {
      readonly kind: 'source-failed';
      /** The cluster that could not be read; absent for the home cluster. */
      readonly cluster?: string;
      readonly error: unknown;
      readonly reason: FailureReason;
      readonly retryIn: number;
    }
  /** Changes that others make to what is published are noticed with each pass only. */
  | { readonly kind: 'watch-failed'; readonly error: Error }
  | {
      readonly kind: 'publish-failed';
      readonly cycle: number;
      /** How many in a row failed, this one included. */
      readonly attempt: number;
      readonly error: unknown;
      readonly retryIn: number;
    };

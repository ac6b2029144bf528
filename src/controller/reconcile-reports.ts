import type { Approvals } from '../model/approvals.ts';
import type { DiscoveredService, Problem } from '../model/discovery.ts';
import type { Toolset } from '../model/documents.ts';
import { displayKey } from '../model/key.ts';
import type { Rollback } from '../model/revision.ts';
import { documentDiff, QUICK_EDITS } from '../planning/changes.ts';
import type { Decision } from '../planning/decide.ts';
import type { Observed } from '../planning/observed.ts';
import { rollbackOf } from '../planning/plan.ts';
import type { GeneratedSnapshot } from './assess.ts';
import type { EngineEvent } from './events.ts';
import { heldNote } from './held-note.ts';
import type { PublishResult } from './publication.ts';
import type { ToolWatch } from './tool-changes.ts';

export interface ReconcileReportsOptions {
  readonly emit: (event: EngineEvent) => void;
  /** The place of the target, for messages. */
  readonly target: string;
  readonly now: () => Date;
  /** Absent: `trust` reports nothing. */
  readonly tools: ToolWatch | undefined;
}

/** Emits the events of reconciliations. A lasting state, such as a hold or a rollback, is reported once. */
export class ReconcileReports {
  readonly #options: ReconcileReportsOptions;
  #faults: string | undefined;
  /** The rollback that was reported last. */
  #rollback: { readonly to: number; readonly holds: boolean } | undefined;
  #waiting: ReadonlySet<string> = new Set();
  #held: ReadonlySet<string> = new Set();
  /** Tools that were held, are not held any more, and were not published since. */
  #unheld: ReadonlySet<string> = new Set();

  constructor(options: ReconcileReportsOptions) {
    this.#options = options;
  }

  /** Reports Services that wait for approval, and changed tools of published MCP servers. */
  trust(
    found: readonly DiscoveredService[],
    { waiting, held }: GeneratedSnapshot,
    approvals: Approvals | undefined,
    cycle: number,
  ): void {
    const { emit, tools } = this.#options;
    if (tools === undefined) return;
    const fresh = waiting.filter((key) => !this.#waiting.has(key));
    const now = new Set(waiting);
    if (fresh.length > 0 || this.#waiting.size !== now.size)
      emit({ kind: 'approvals-waiting', cycle, waiting, fresh });
    this.#waiting = now;
    const kept = new Set(held);
    for (const change of tools.take(found, (service) => !kept.has(displayKey(service)), approvals))
      emit({ kind: 'tools-changed', cycle, change });
  }

  /** Reports why the published state differs from the discovered one. */
  reasons({ rollback, revoked, intent }: Decision, live: Observed | undefined, cycle: number): void {
    const { emit } = this.#options;
    const faults = intent.overrideError;
    if (faults !== undefined && faults !== this.#faults)
      emit({ kind: 'overrides-invalid', cycle, faults, tools: intent.tools.length });
    if (faults === undefined && this.#faults !== undefined) emit({ kind: 'overrides-mended', cycle });
    this.#faults = faults;
    this.#reportRollback(rollback, intent.rollback ?? rollbackOf(live?.annotations ?? {}), cycle, revoked);
  }

  /** Reports that a rollback holds, or no longer does: the inputs changed, or its annotations are gone. */
  #reportRollback(
    state: Decision['rollback'],
    known: Rollback | undefined,
    cycle: number,
    revoked: string | undefined,
  ): void {
    const { emit } = this.#options;
    const before = this.#rollback;
    const to = known?.to ?? before?.to ?? 0;
    const isGone = state === undefined && known === undefined;
    if (isGone && before?.holds === true) emit({ kind: 'rollback', cycle, to, holds: false, removed: true });
    if (state !== undefined && (before?.to !== to || before.holds !== (state === 'holds')))
      emit({
        kind: 'rollback',
        cycle,
        to,
        holds: state === 'holds',
        ...(state === 'holds' && known?.accepted !== undefined ? { accepted: true } : {}),
        ...(revoked === undefined ? {} : { revoked }),
      });
    // A decision that keeps everything, such as one with invalid overrides, keeps the rollback too.
    if (state !== undefined || isGone) this.#rollback = isGone ? undefined : { to, holds: state === 'holds' };
  }

  /** Reports held tools. @returns a note about them; `undefined` if there are none */
  held({ held, until, due }: Decision['held'], cycle: number): Problem | undefined {
    const { emit, target, now } = this.#options;
    const isNew = held.some((tool) => !this.#held.has(tool));
    this.#unheld = new Set([...this.#held, ...this.#unheld].filter((tool) => !held.includes(tool)));
    this.#held = new Set(held);
    if (until === undefined) return undefined;
    if (isNew) emit({ kind: 'removal-held', cycle, tools: held, retryIn: until - now().getTime() });
    return heldNote({ held, until, due }, target);
  }

  /**
   * Reports the removal of tools that were held.
   * @param published the toolset that was published now
   * @param allowed whether an operator allowed it with the annotation
   * @param rollback whether a rollback holds, which may have removed them
   */
  removedAfterHold(
    published: Pick<Toolset, 'tools'>,
    allowed: boolean,
    rollback: Decision['rollback'],
    cycle: number,
  ): void {
    const there = new Set(published.tools.map(({ name }) => name));
    const tools = [...this.#unheld].filter((tool) => !there.has(tool));
    this.#unheld = new Set();
    if (tools.length > 0 && rollback !== 'holds')
      this.#options.emit({ kind: 'held-removed', cycle, tools, allowed });
  }

  /** Reports what was published and why. @param isKnown whether anything was published before */
  result(
    { plan, live: after, rolledBack }: PublishResult,
    before: Observed | undefined,
    { drift, intent }: Decision,
    isKnown: boolean,
    cycle: number,
  ): void {
    const { emit, target } = this.#options;
    if (plan.action !== 'none') emit({ kind: 'observed', live: after });
    if (before === undefined && isKnown)
      emit({ kind: 'recreated', cycle, overrides: intent.overrides !== undefined });
    if (drift !== undefined) {
      const now = drift.published ?? intent.documents;
      const diff = documentDiff(before, now, 'found', 'published', QUICK_EDITS);
      // There is no difference if this process was killed between two writes.
      if (diff.length > 0) emit({ kind: 'drift', cycle, keys: drift.keys, diff });
    }
    if (rolledBack !== undefined)
      emit({ kind: 'rolled-back', cycle, to: rolledBack.to.number, faults: rolledBack.faults });
    if (plan.action !== 'none') emit({ kind: 'published', cycle, plan, target });
  }
}

import { isDeepStrictEqual } from 'node:util';
import type { Naming } from '../detection/names.ts';
import type { Approvals } from '../model/approvals.ts';
import type { DiscoveredService, Problem } from '../model/discovery.ts';
import { type Documents, OVERRIDES_KEY, type Toolset } from '../model/documents.ts';
import { FindingsError } from '../model/errors.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import { runInSteps, yieldEvery } from '../model/yield-every.ts';
import type { FollowInput } from '../outputs/output.ts';
import type { Outputs } from '../outputs/outputs.ts';
import type { OutputSettings } from '../outputs/registry.ts';
import { type Groups, publishedGroups } from '../planning/backend-groups.ts';
import { type Decision, decideToKeep, type Situation } from '../planning/decide.ts';
import { sizeFault } from '../planning/guards.ts';
import { type Observed, observe, type ReadRevision } from '../planning/observed.ts';
import { ALLOW_REMOVAL, type Intent } from '../planning/plan.ts';
import { refusal } from '../planning/refusal.ts';
import { type Gone, type Loss, stillGone } from '../planning/removals.ts';
import { standingWith } from '../planning/rollback.ts';
import { retryConflicts } from '../publishers/conflicts.ts';
import { ignoredRelease } from './allow-removal.ts';
import {
  assessInSteps,
  type GeneratedSnapshot,
  type ReconcileInput,
  type ReconcileState,
  situationOf,
} from './assess.ts';
import { DriftBackoff } from './drift-backoff.ts';
import type { EngineEvent } from './events.ts';
import { externalChanges, metadataFingerprint } from './external-changes.ts';
import type { KnownServices } from './held.ts';
import { type Publication, publish } from './publication.ts';
import { ReconcileReports } from './reconcile-reports.ts';
import { Refusals } from './refusals.ts';
import { RevisionLog } from './revision-log.ts';
import type { Target } from './target.ts';
import type { ToolWatch } from './tool-changes.ts';
import { type Unwanted, unwantedIn } from './unwanted.ts';
import { withAnnotations } from './with-annotations.ts';

export interface ReconcilerOptions extends Target, Publication {
  readonly emit: (event: EngineEvent) => void;
  /** Run a single pass. */
  readonly once: boolean;
  /** Reports changes of MCP servers' tools, and Services that wait for approval. Only one target has it. */
  readonly tools?: ToolWatch | undefined;
}

/** The published state after a reconciliation. */
export interface Reconciled extends FollowInput {
  /** Why new documents could not be published. The last good ones are published instead. */
  readonly failure?: { readonly error: unknown } | undefined;
  /** The faults of the overrides, if they are invalid, so that the last toolset stays. */
  readonly overrideFaults?: string | undefined;
  /** Why the published state is not in the history. */
  readonly unrecorded?: string | undefined;
}

/** The desired state, and why it differs from the discovered one. */
interface Desired {
  readonly decision: Decision;
  /** The services that the documents were generated from; none if published documents stay. */
  readonly services: readonly DiscoveredService[];
  readonly failure?: { readonly error: unknown } | undefined;
}

/** How long a step may take without a turn of the event loop after it, in milliseconds. Large overrides take more. */
const MAX_SLICE_MS = 10;

/**
 * Level-based reconciler of one target: recomputes the desired state from discovery and overrides on every run. Its memory
 * saves work and improves reports, and never affects what is published.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #reports: ReconcileReports;
  readonly #revisions: RevisionLog;
  readonly #drift: DriftBackoff;
  readonly #refusals: Refusals;
  /** The last state that this process published. */
  #lastPublished: Toolset | undefined;
  #lastGenerated: GeneratedSnapshot | undefined;
  /** The fingerprint of the desired state of the last publication. */
  #lastDesired: string | undefined;
  /** The last seen `overrides.yaml`; with an undefined text, there was none. */
  #lastSeenOverrides: ReconcileState['lastSeenOverrides'];
  #lastValidOverrides: ReconcileState['lastValidOverrides'];
  /** The services of the tools that were published last. */
  #known: KnownServices;
  /** These tools, as they were published. */
  #knownTools: ReadonlyMap<string, PublishedTool>;
  /** Recently removed tools. */
  #gone: readonly Gone[];
  /** When the first held tool may be removed, on the clock of `performance.now`. */
  #releaseAt: number | undefined;
  #notes: Problem[] = [];
  /** Whether the last run found all problems that there are. */
  #areNotesWhole = false;

  /** The names of tools, as of the last reconciliation. */
  naming: Naming | undefined;
  /** The groups of the backends that were published before the last reconciliation; undefined until they were read. */
  groups: Groups | undefined;
  /** The approvals, as of the last reconciliation with valid overrides. */
  approvals: Approvals | undefined;

  /** @param before a reconciler from which to take over the known services and valid overrides */
  constructor(options: ReconcilerOptions, before?: Reconciler) {
    const { emit, publisher, now, tools } = options;
    this.#options = options;
    this.#refusals = new Refusals(options);
    this.#reports = new ReconcileReports({ emit, target: publisher.target, now, tools });
    this.#revisions = new RevisionLog(options);
    this.#drift = new DriftBackoff(emit);
    this.#known = before === undefined ? new Map() : before.#known;
    this.#knownTools = before === undefined ? new Map() : before.#knownTools;
    this.#gone = before === undefined ? [] : before.#gone;
    this.#lastValidOverrides = before === undefined ? undefined : before.#lastValidOverrides;
  }

  /** Milliseconds until a run is due without any change; `undefined` if none is. */
  get due(): number | undefined {
    const times = [this.#releaseAt, this.#drift.until].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.max(0, Math.min(...times) - performance.now());
  }

  /**
   * Publishes the desired state, unless it is published already.
   * @returns the published state; `undefined` if an external change was left alone
   * @throws the reason why nothing can be published
   */
  async run(found: ReconcileInput, cycle: number, signal: AbortSignal): Promise<Reconciled | undefined> {
    const started = performance.now();
    let reconciled: Reconciled | undefined;
    try {
      reconciled = await retryConflicts(() => this.#retryWithLess(found, cycle, signal), signal);
      return reconciled;
    } finally {
      if (!signal.aborted)
        this.#options.emit({
          kind: 'reconciled',
          cycle,
          ok: reconciled !== undefined && reconciled.failure === undefined,
          problems: this.#notes,
          isPartial: !this.#areNotesWhole,
          milliseconds: performance.now() - started,
          cuts: this.#lastGenerated?.cuts,
          omissions: this.#lastGenerated?.omissions,
          tools: reconciled?.tools,
          revision: this.#revisions.newest,
          recorded: this.#revisions.fault === undefined,
        });
    }
  }

  /** One attempt, and further ones without an owner reference or with fewer ConfigMaps if these are refused. */
  async #retryWithLess(...attempt: Parameters<Reconciler['run']>): Promise<Reconciled | undefined> {
    await this.#refusals.recheckShards(attempt[2]);
    for (;;) {
      try {
        return await this.#reconcileOnce(...attempt);
      } catch (error) {
        if (!this.#refusals.take(error)) throw error;
      }
    }
  }

  async #reconcileOnce(
    found: ReconcileInput,
    cycle: number,
    signal: AbortSignal,
  ): Promise<Reconciled | undefined> {
    const { version } = this.#options;
    this.#notes = [];
    this.#areNotesWhole = false;
    const live = await this.#observe(signal);
    const revisions = await this.#revisions.list(live, this.#note, signal);
    if (live !== undefined) this.#lastSeenOverrides = { overrides: live.data[OVERRIDES_KEY] };
    const ignored = ignoredRelease(live?.annotations ?? {}, this.#options.publisher.target);
    if (ignored !== undefined) this.#note(ignored);
    const state = this.#state();
    const situation = await this.#withOverrides(situationOf(live, revisions, state), signal);
    const breathe = yieldEvery(MAX_SLICE_MS);
    const desired = await this.#desired(found, situation, state, cycle);
    await breathe();
    const { decision, failure } = desired;
    const changed = externalChanges(decision, live, this.#lastDesired, version);
    if (this.#drift.holds(live, changed, cycle)) return undefined;
    if (failure === undefined) this.#report(decision, live, cycle);
    const intent = {
      ...decision.intent,
      ...this.#notRestored,
      owner: await this.#refusals.owner(this.#note, signal),
    };
    const target = {
      ...this.#options,
      outputs: this.#checking(),
      unwantedIn: (to: ReadRevision) => this.#unwantedIn(to, intent, situation),
    };
    const result = await publish(intent, live, revisions, target, signal);
    const { changes } = result.plan;
    const toolset = result.rolledBack?.to.toolset ?? toolsetOf(decision);
    this.#published(toolset, result.rolledBack === undefined ? desired.services : []);
    this.#removed(decision.released);
    this.#lastDesired = metadataFingerprint(result.plan);
    if (changed.length > 0) this.#drift.recordRevert(live);
    const isKnown = this.#revisions.hasRecorded || revisions.length > 0;
    this.#reports.result(result, live, decision, isKnown, cycle);
    const isAllowed = live?.annotations[ALLOW_REMOVAL] === 'true';
    this.#reports.removedAfterHold(toolset, isAllowed, decision.rollback, cycle);
    await this.#revisions.record(toolset, result.live, this.#note, signal);
    const { fault } = this.#revisions;
    return {
      documents: toolset.documents,
      tools: toolset.tools,
      written: Object.keys(toolset.documents).filter((name) => changes.includes(`data ${name}`)),
      failure,
      overrideFaults: decision.intent.overrideError,
      unrecorded: fault,
    };
  }

  /** What a revision would publish, in place of this, that is not approved or is switched off. */
  #unwantedIn(to: ReadRevision, intent: Intent, { overrides, revisions }: Situation): readonly Unwanted[] {
    const { generation } = this.#refusals;
    const { excluded } = this.#options;
    const standing = standingWith(intent, revisions);
    const rules = { overrides, generation, areNamespacesKnown: true, excluded, standing, revisions };
    return unwantedIn(to, rules, this.#options.outputs);
  }

  /** Reads the overrides from elsewhere if the target does not hold them. */
  async #withOverrides(situation: Situation, signal: AbortSignal): Promise<Situation> {
    const { readOverrides } = this.#options;
    return readOverrides === undefined ? situation : { ...situation, overrides: await readOverrides(signal) };
  }

  /** Overrides from elsewhere are not written to this target. */
  get #notRestored(): { readonly overrides?: undefined } {
    return this.#options.readOverrides === undefined ? {} : { overrides: undefined };
  }

  /** @throws FindingsError if the published object must not be changed */
  async #observe(signal: AbortSignal): Promise<Observed | undefined> {
    const { publisher, outputs, emit, force } = this.#options;
    const live = observe(await publisher.read(signal), outputs);
    this.groups = publishedGroups(live);
    const breathe = yieldEvery(MAX_SLICE_MS);
    emit({ kind: 'observed', live });
    await breathe();
    const refused = refusal(live, force);
    if (refused !== undefined) throw new FindingsError(`${publisher.target} is left as it is: ${refused}`);
    return live;
  }

  #state(): ReconcileState {
    return {
      own: this.#lastPublished,
      lastSeenOverrides: this.#lastSeenOverrides,
      lastValidOverrides: this.#lastValidOverrides,
      lastGenerated: this.#lastGenerated,
      known: this.#known,
      gone: this.#gone,
    };
  }

  /**
   * The desired state. If no new documents can be published, it is the last good ones, so that external changes are still
   * reverted.
   * @throws the reason, if no good documents are known
   */
  async #desired(
    found: ReconcileInput,
    situation: Situation,
    state: ReconcileState,
    cycle: number,
  ): Promise<Desired> {
    const { outputs, force, removalHold, once, now, excluded, follower } = this.#options;
    const generation = this.#refusals.generationWithin(follower?.room);
    const removal = force ? undefined : { hold: removalHold, once, excluded };
    try {
      const findings = { ...found, generation, outputs, removal, excluded, now: now().getTime() };
      const { decision, generated, naming, approvals, faults, notes, services } = await runInSteps(
        assessInSteps(findings, situation, state),
        yieldEvery(MAX_SLICE_MS),
      );
      this.naming = naming;
      this.approvals = approvals ?? this.approvals;
      this.#notes.push(...notes);
      const noRoom = this.#refusals.shardsNote(generated.cuts);
      if (noRoom !== undefined) this.#note(noRoom);
      if (generated !== this.#lastGenerated)
        this.#options.emit({ kind: 'generated', cycle, ok: faults === undefined });
      this.#lastGenerated = generated;
      this.#areNotesWhole = faults === undefined;
      if (faults === undefined) this.#lastValidOverrides = { overrides: situation.overrides };
      if (faults === undefined) this.#reports.trust(found.found, generated, this.approvals, cycle);
      this.#guardSize(decision.intent.documents);
      const context = { ...this.#options, cuts: generated.cuts, live: situation.live };
      const annotated = withAnnotations(decision, found, context);
      this.#notes.push(...annotated.notes);
      return { decision: annotated.decision, services };
    } catch (error) {
      const decision = decideToKeep(situation);
      if (decision === undefined) throw error;
      return { decision, services: [], failure: { error } };
    }
  }

  #report(decision: Decision, live: Observed | undefined, cycle: number): void {
    const { due } = decision.held;
    this.#releaseAt = due === undefined ? undefined : performance.now() + due;
    this.#reports.reasons(decision, live, cycle);
    const note = this.#reports.held(decision.held, cycle);
    if (note !== undefined) this.#notes.push(note);
  }

  /** The outputs, without repeating checks of generated documents. */
  #checking(): Outputs<OutputSettings> {
    const { outputs } = this.#options;
    const generated = this.#lastGenerated?.documents;
    const faultsOf = (documents: Documents): readonly string[] =>
      isDeepStrictEqual(documents, generated) ? [] : outputs.faultsOf(documents);
    return { ...outputs, faultsOf };
  }

  /** Records what is published, and the services that it was generated from. */
  #published(toolset: Toolset, services: readonly DiscoveredService[]): void {
    this.#lastPublished = toolset;
    const made = new Map(services.map((service) => [service.tool, service]));
    // A tool that changes with documents that stay, as in a rollback, was generated from another service.
    const isSame = (tool: PublishedTool): boolean => isDeepStrictEqual(tool, this.#knownTools.get(tool.name));
    this.#known = new Map(
      toolset.tools.flatMap((tool) => {
        const { name } = tool;
        const service = made.get(name) ?? (isSame(tool) ? this.#known.get(name) : undefined);
        return service === undefined ? [] : [[name, service]];
      }),
    );
    this.#knownTools = new Map(toolset.tools.map((tool) => [tool.name, tool]));
  }

  /** Records removed tools, and forgets old ones. */
  #removed(released: readonly Loss[]): void {
    const { now, removalHold } = this.#options;
    const at = now().getTime();
    const gone = released.map(({ cause: _, ...loss }) => ({ ...loss, at }));
    this.#gone = [...stillGone(this.#gone, at, removalHold), ...gone];
  }

  readonly #note = (problem: Problem): void => void this.#notes.push(problem);

  /** @throws FindingsError if the documents are too large to publish */
  #guardSize(documents: Documents): void {
    const size = sizeFault(documents);
    if (size === undefined) return;
    this.#notes.push({ where: this.#options.publisher.target, what: size.what, fix: size.fix });
    if (size.refused) throw new FindingsError(`${size.what}, so it is left as it is; ${size.fix}`);
  }
}

const toolsetOf = ({ intent: { documents, tools } }: Decision): Toolset => ({ documents, tools });

import { isDeepStrictEqual } from 'node:util';
import type { Naming } from '../detection/names.ts';
import type { Approvals } from '../model/approvals.ts';
import type { DiscoveredService, Problem } from '../model/discovery.ts';
import { type Documents, OVERRIDES_KEY } from '../model/documents.ts';
import { FindingsError, UserError } from '../model/errors.ts';
import { displayKey } from '../model/key.ts';
import type { OwnerReference, Published } from '../model/published.ts';
import { toolNames } from '../model/published-tools.ts';
import type { Revision } from '../model/revision.ts';
import type { GenerateOptions } from '../outputs/generate.ts';
import { documentDiff } from '../planning/changes.ts';
import { contentHash, publishedDocuments, revisionHash } from '../planning/content-hash.ts';
import { type Decision, decideToKeep, type Situation } from '../planning/decide.ts';
import { sizeFault } from '../planning/guards.ts';
import { CONTENT_HASH, rollbackOf } from '../planning/plan.ts';
import { refusal } from '../planning/refusal.ts';
import { type Excluded, type Gone, type Loss, stillGone } from '../planning/removals.ts';
import { retryConflicts } from '../publishers/conflicts.ts';
import { OwnerRefused } from '../publishers/publisher.ts';
import { assess, type Findings, type Made, type Memory, situationOf } from './assess.ts';
import type { EngineEvent } from './events.ts';
import { Fights } from './fights.ts';
import type { KnownServices } from './held.ts';
import { type Ended, type Publication, publish } from './publication.ts';
import { ToolWatch } from './tool-changes.ts';
import { foreign, undone, wantedBy } from './undone.ts';

export interface ReconcilerOptions extends Publication {
  readonly generation: Omit<GenerateOptions, 'overrides'>;
  /** The object that what is published goes with, if there is one. */
  readonly owner: (signal: AbortSignal) => Promise<OwnerReference | undefined>;
  readonly tell: (event: EngineEvent) => void;
  /** Remove many tools at once without holding them, and take over what others made. */
  readonly force: boolean;
  /** How long a removal of many tools at once is held, in milliseconds. */
  readonly removalHold: number;
  /** This process makes one pass only. */
  readonly once: boolean;
  /** Published tools that the configuration leaves out, which are removed at once; absent: none. */
  readonly excluded?: Excluded;
  /** What this process knows of the tools of MCP servers; absent: nothing yet. */
  readonly tools?: ToolWatch | undefined;
}

/** What is published, and whether what the agent reads was written in this pass. */
export interface Reconciled {
  readonly documents: Documents;
  readonly rewritten: boolean;
  /** What kept new documents from being published: these are the last good ones, put right where that was needed. */
  readonly failure?: { readonly error: unknown };
  /** Why what is published is not in the history, where it should be. */
  readonly unrecorded?: string;
}

/** What a pass found. */
export type Found = Pick<Findings, 'found' | 'contradicted'>;

/** What shall be published, and what kept new documents from it. */
interface Decided {
  readonly decision: Decision;
  readonly services: readonly DiscoveredService[];
  readonly failure?: { readonly error: unknown };
}

const AGENT_KEY = 'custom_toolset.yaml';

const NO_HISTORY = 'no history is kept';

/**
 * Makes what is published follow from what was found and what people wrote, each time anew from all of it. What it
 * remembers makes that cheaper and what it tells better; nothing that was published or written depends on it.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  /** What this process published last. */
  #own: Documents | undefined;
  /** What was generated last. */
  #made: Made | undefined;
  /** What was wanted then, labels and annotations included. */
  #wanted: string | undefined;
  /** `overrides.yaml` as it was last seen; undefined text: there was none. */
  #seen: { readonly overrides: string | undefined } | undefined;
  /** What was published before, once that was read. */
  #revisions: readonly Revision[] | undefined;
  /** Why the history could not be read or written, if so. */
  #historyFault: string | undefined;
  /** What the newest revision holds, if it was this process that saw to it. */
  #recorded: string | undefined;
  /** The services of the tools that were published last. */
  #known: KnownServices;
  /** Tools that were taken out a short while ago. */
  #gone: readonly Gone[] = [];
  /** The tools that are held, and when the first of them may go, on the clock of `performance.now`. */
  #held: ReadonlySet<string> = new Set();
  #releaseAt: number | undefined;
  /** When a change that is made again and again may be reverted, on the same clock. */
  #fightUntil: number | undefined;
  readonly #fights = new Fights();
  readonly #tools: ToolWatch;
  /** What was told last, so that it is told once. */
  readonly #told: {
    faults?: string | undefined;
    rollback?: string | undefined;
    fight?: boolean;
    waiting?: ReadonlySet<string>;
  } = {};
  #notes: Problem[] = [];
  /** Why what is published goes with no other object, if that was refused. */
  #ownerRefused: string | undefined;

  /** Who has which name, as of the last reconciliation. */
  naming: Naming | undefined;
  /** What people approved, as of the last reconciliation whose overrides could be read. */
  approvals: Approvals | undefined;

  /** @param before whose knowledge of published services it goes on with */
  constructor(options: ReconcilerOptions, before?: Reconciler) {
    this.#options = options;
    this.#tools = options.tools ?? new ToolWatch();
    this.#known = before === undefined ? new Map() : before.#known;
    this.#gone = before === undefined ? [] : before.#gone;
  }

  /** Milliseconds until there is something to do though nothing changed; nothing while there is not. */
  get due(): number | undefined {
    const times = [this.#releaseAt, this.#fightUntil].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.max(0, Math.min(...times) - performance.now());
  }

  /**
   * Publishes what shall be, if that is not there already.
   * @returns what is published now; nothing where somebody else's was let be
   * @throws what keeps anything from being published
   */
  async run(found: Found, cycle: number, signal: AbortSignal): Promise<Reconciled | undefined> {
    const started = performance.now();
    let reconciled: Reconciled | undefined;
    try {
      reconciled = await retryConflicts(() => this.#withOwner(found, cycle, signal), signal);
      return reconciled;
    } finally {
      if (!signal.aborted)
        this.#options.tell({
          kind: 'reconciled',
          cycle,
          ok: reconciled !== undefined && reconciled.failure === undefined,
          problems: this.#notes,
          milliseconds: performance.now() - started,
          cuts: this.#made?.cuts,
          omissions: this.#made?.omissions,
          documents: reconciled?.documents,
          revision: this.#revisions?.at(-1)?.number,
          recorded: this.#historyFault === undefined,
        });
    }
  }

  /** One attempt; a second one without an owner, where the ConfigMap may have none. */
  async #withOwner(...attempt: Parameters<Reconciler['run']>): Promise<Reconciled | undefined> {
    try {
      return await this.#once(...attempt);
    } catch (error) {
      if (!(error instanceof OwnerRefused) || this.#ownerRefused !== undefined) throw error;
      this.#ownerRefused = error.message;
      return await this.#once(...attempt);
    }
  }

  async #once(found: Found, cycle: number, signal: AbortSignal): Promise<Reconciled | undefined> {
    const { publisher, owner, force } = this.#options;
    this.#notes = [];
    const live = await publisher.read(signal);
    this.#options.tell({ kind: 'observed', live });
    const refused = refusal(live, force);
    if (refused !== undefined) throw new FindingsError(`${publisher.target} is left as it is: ${refused}`);
    const revisions = await this.#history(live, signal);
    if (live !== undefined) this.#seen = { overrides: live.data[OVERRIDES_KEY] };
    const memory = {
      own: this.#own,
      seen: this.#seen,
      made: this.#made,
      known: this.#known,
      gone: this.#gone,
    };
    const situation = situationOf(live, revisions, memory);
    const { decision, services, failure } = this.#decided(found, situation, memory, cycle);
    const changed = undone(decision, live, this.#wanted, this.#options.version);
    if (this.#letBe(live, changed, cycle)) return undefined;
    if (failure === undefined) this.#tellReasons(decision, live, cycle);
    if (this.#ownerRefused !== undefined)
      this.#notes.push({ where: publisher.target, what: this.#ownerRefused });
    const goesWith = this.#ownerRefused !== undefined ? undefined : await owner(signal);
    const intent = { ...decision.intent, owner: goesWith };
    // What was generated was checked then.
    const generated = this.#made?.documents;
    const faultsOf = (documents: Documents): readonly string[] =>
      isDeepStrictEqual(documents, generated) ? [] : this.#options.faultsOf(documents);
    const ended = await publish(intent, live, revisions, { ...this.#options, faultsOf }, signal);
    this.#own = ended.rolledBack?.to.documents ?? decision.intent.documents;
    this.#knows(this.#own, services);
    if (ended.plan.action !== 'none') this.#letGo(decision.released);
    this.#wanted = wantedBy(ended.plan);
    if (changed.length > 0) this.#fights.reverted(foreign(live), performance.now());
    if (ended.plan.action !== 'none') this.#options.tell({ kind: 'observed', live: ended.live });
    this.#tellResult(ended, live, decision, revisions, cycle);
    await this.#remember(ended.live, signal);
    const { action, changes } = ended.plan;
    return {
      documents: this.#own,
      rewritten: action !== 'none' && changes.includes(`data ${AGENT_KEY}`),
      ...(failure === undefined ? {} : { failure }),
      ...(this.#historyFault === undefined ? {} : { unrecorded: this.#historyFault }),
    };
  }

  /**
   * What shall be published. Where no new documents can be, that is the last good ones: what is published is put right
   * whatever is wrong with what is new.
   * @throws what is wrong with it, where no good documents are known
   */
  #decided(found: Found, situation: Situation, memory: Memory, cycle: number): Decided {
    const { generation, force, removalHold, once, now, excluded } = this.#options;
    const removal = force
      ? undefined
      : { hold: removalHold, once, ...(excluded === undefined ? {} : { excluded }) };
    try {
      const findings = { ...found, generation, removal, now: now().getTime() };
      const { decision, made, naming, approvals, faults, notes, services } = assess(
        findings,
        situation,
        memory,
      );
      this.naming = naming;
      this.approvals = approvals ?? this.approvals;
      this.#notes.push(...notes);
      if (made !== this.#made) this.#options.tell({ kind: 'generated', cycle, ok: faults === undefined });
      this.#made = made;
      if (faults === undefined) this.#tellTrust(found.found, made, cycle);
      this.#guardSize(decision.intent.documents);
      return { decision, services };
    } catch (error) {
      const decision = decideToKeep(situation);
      if (decision === undefined) throw error;
      return { decision, services: [], failure: { error } };
    }
  }

  /** Remembers which tools went, for as long as that counts. */
  #letGo(released: readonly Loss[]): void {
    const { now, removalHold } = this.#options;
    const at = now().getTime();
    const gone = released.map(({ tool, namespace }) => ({ tool, namespace, at }));
    this.#gone = [...stillGone(this.#gone, at, removalHold), ...gone];
  }

  /** Remembers the services of the tools that are published. */
  #knows(documents: Documents, services: readonly DiscoveredService[]): void {
    const byTool = new Map([...this.#known, ...services.map((service) => [service.tool, service] as const)]);
    this.#known = new Map(
      toolNames(documents['toolset.json']).flatMap((tool) => {
        const service = byTool.get(tool);
        return service === undefined ? [] : [[tool, service]];
      }),
    );
  }

  /** What was published before. It is read when it is not known, and when what is there is not what was published. */
  async #history(live: Published | undefined, signal: AbortSignal): Promise<readonly Revision[]> {
    const { history } = this.#options.publisher;
    if (history === undefined) return [];
    const documents = publishedDocuments(live);
    const untouched = documents !== undefined && contentHash(documents) === live?.annotations[CONTENT_HASH];
    if (this.#revisions !== undefined && untouched) return this.#revisions;
    try {
      this.#revisions = await history.list(signal);
    } catch (error) {
      signal.throwIfAborted();
      this.#noteHistory(error);
    }
    return this.#revisions ?? [];
  }

  #noteHistory(error: unknown): void {
    if (!(error instanceof UserError)) throw error;
    this.#historyFault = error.message;
    // Who may not list revisions may not add one either: one line says it.
    if (this.#notes.some(({ what }) => what.startsWith(NO_HISTORY))) return;
    this.#notes.push({
      where: this.#options.publisher.target,
      what: `${NO_HISTORY}, so there is no rollback: ${error.message}`,
    });
  }

  /** Whether a foreign change is left alone for now, because it came again and again. */
  #letBe(live: Published | undefined, keys: readonly string[], cycle: number): boolean {
    this.#fightUntil = undefined;
    const pause = keys.length === 0 ? 0 : this.#fights.pause(foreign(live), performance.now());
    if (pause === 0) {
      this.#told.fight = false;
      return false;
    }
    this.#fightUntil = performance.now() + pause;
    if (this.#told.fight !== true)
      this.#options.tell({ kind: 'drift-repeated', cycle, keys, retryIn: pause });
    this.#told.fight = true;
    return true;
  }

  /** Tells who waits for approval now, and how the tools of servers that are published changed. */
  #tellTrust(found: readonly DiscoveredService[], { waiting, held }: Made, cycle: number): void {
    const { tell } = this.#options;
    const before = this.#told.waiting ?? new Set();
    const now = new Set(waiting);
    const fresh = waiting.filter((key) => !before.has(key));
    if (fresh.length > 0 || before.size !== now.size)
      tell({ kind: 'approvals-waiting', cycle, waiting, fresh });
    this.#told.waiting = now;
    const kept = new Set(held);
    for (const change of this.#tools.take(found, (service) => !kept.has(displayKey(service)), this.approvals))
      tell({ kind: 'tools-changed', cycle, change });
  }

  /** Tells, once each, why what is published is not what was found. */
  #tellReasons({ held, rollback, intent }: Decision, live: Published | undefined, cycle: number): void {
    const { tell } = this.#options;
    const faults = intent.overrideError;
    if (faults !== undefined && faults !== this.#told.faults)
      tell({ kind: 'overrides-invalid', cycle, faults });
    if (faults === undefined && this.#told.faults !== undefined) tell({ kind: 'overrides-mended', cycle });
    this.#told.faults = faults;
    const to = (intent.rollback ?? rollbackOf(live?.annotations ?? {}))?.to ?? 0;
    const state = rollback === undefined ? undefined : `${rollback} ${to}`;
    if (rollback !== undefined && state !== this.#told.rollback)
      tell({ kind: 'rollback', cycle, to, holds: rollback === 'holds' });
    this.#told.rollback = state;
    this.#tellHeld(held, cycle);
  }

  /** Tells of tools that are held, once for each of them. */
  #tellHeld({ held, until, due }: Decision['held'], cycle: number): void {
    this.#releaseAt = due === undefined ? undefined : performance.now() + due;
    const isNew = held.some((tool) => !this.#held.has(tool));
    this.#held = new Set(held);
    if (until === undefined) return;
    const retryIn = until - this.#options.now().getTime();
    const names = held.slice(0, 5).join(', ');
    const more = held.length > 5 ? ` and ${held.length - 5} more` : '';
    this.#notes.push({
      where: this.#options.publisher.target,
      what: `${held.length} tools stay until ${new Date(until).toISOString()}, though they are not found or cannot be used: ${names}${more}`,
      fix: `let them go with --force, by kubernaut.io/allow-removal: "true" on it, or switch them off in ${OVERRIDES_KEY}`,
    });
    if (isNew) this.#options.tell({ kind: 'removal-held', cycle, tools: held, retryIn });
  }

  /** @throws UserError when the documents are too large to publish */
  #guardSize(documents: Documents): void {
    const size = sizeFault(documents);
    if (size === undefined) return;
    this.#notes.push({ where: this.#options.publisher.target, what: size.what, fix: size.fix });
    if (size.refused) throw new FindingsError(`${size.what}, so it is left as it is; ${size.fix}`);
  }

  #tellResult(
    { plan, rolledBack }: Ended,
    before: Published | undefined,
    { drift, intent }: Decision,
    revisions: readonly Revision[],
    cycle: number,
  ): void {
    const { tell, publisher } = this.#options;
    if (before === undefined && (this.#recorded !== undefined || revisions.length > 0))
      tell({ kind: 'recreated', cycle, overrides: intent.overrides !== undefined });
    if (drift !== undefined) {
      const published = drift.published ?? intent.documents;
      const diff = documentDiff(before, published, 'found', 'published');
      tell({ kind: 'drift', cycle, keys: drift.keys, diff });
    }
    if (rolledBack !== undefined)
      tell({ kind: 'rolled-back', cycle, to: rolledBack.to.number, faults: rolledBack.faults });
    if (plan.action !== 'none') tell({ kind: 'published', cycle, plan, target: publisher.target });
  }

  /** Makes what is published the newest revision, so that it can be returned to. */
  async #remember(live: Published | undefined, signal: AbortSignal): Promise<void> {
    const { history } = this.#options.publisher;
    const documents = publishedDocuments(live);
    // What somebody else wrote in the meantime was not published: the next pass puts it right.
    if (live === undefined || documents === undefined || this.#own === undefined) return;
    if (contentHash(documents) !== contentHash(this.#own)) return;
    const overrides = live.data[OVERRIDES_KEY];
    const rollback = rollbackOf(live.annotations);
    const key = `${revisionHash(documents, overrides)} ${rollback?.from} ${rollback?.to}`;
    this.#historyFault = undefined;
    if (history === undefined || this.#recorded === key) {
      this.#recorded = key;
      return;
    }
    try {
      this.#revisions = await history.record({ documents, overrides, rollback }, this.#options.now(), signal);
      this.#recorded = key;
    } catch (error) {
      signal.throwIfAborted();
      this.#noteHistory(error);
    }
  }
}

import { isDeepStrictEqual } from 'node:util';
import type { BackendId } from '../model/backend-id.ts';
import { type DiscoveredService, type Health, OUTAGE_PLACE, type Problem } from '../model/discovery.ts';
import { type Cut, type Omission, OVERRIDES_KEY } from '../model/documents.ts';
import { NO_OVERRIDES, type Overrides } from '../model/overrides.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import type { AgentState } from '../outputs/output.ts';
import type { LeftOutOf, Outputs } from '../outputs/outputs.ts';
import { readOverrides } from '../outputs/read-overrides.ts';
import type { AdmissionPolicy } from '../planning/admission.ts';
import { publicationState, STATE_ANNOTATIONS } from '../planning/conditions/published.ts';
import type { Observed } from '../planning/observed.ts';
import type { Ids } from './backend-ids.ts';
import { Catalog } from './catalog.ts';
import type { EngineEvent } from './events.ts';
import { type BackendHistory, HealthHistories } from './health-history.ts';

export type { BackendHistory };

type EventOf<K extends EngineEvent['kind']> = Extract<EngineEvent, { kind: K }>;

/** A shared empty list, so that it never looks changed. */
const NOTHING: readonly never[] = [];

/** The state of a dependency. */
export interface Dependency {
  readonly status: 'ok' | 'failing' | 'waiting';
  readonly since: Date;
  /** The last error while it fails. */
  readonly error?: string;
}

/** The state of a target other than the home target. */
export interface TargetStatus extends Dependency {
  readonly problems: readonly Problem[];
  /** Why the agent of the target does not have what is published. */
  readonly agentProblem?: Problem | undefined;
  readonly tools: number | undefined;
  readonly lastPublished: Date | undefined;
}

export interface Counters {
  readonly cycles: number;
  readonly examined: number;
  readonly publications: number;
  readonly failures: number;
  readonly drift: number;
}

export interface ReadModelOptions {
  readonly now: () => Date;
  /** The operator's admission policy; undefined until it is known. */
  readonly policy?: () => AdmissionPolicy | undefined;
  /** Reads in which of the published documents a tool is; absent: that is what the inputs would leave out. */
  readonly outputs?: Pick<Outputs, 'leftOutOf'>;
  /** How long a mass removal is held, in milliseconds, if that is known. */
  readonly removalHold?: () => number | undefined;
  /** Whether this process publishes, and therefore knows the effect of limits. */
  readonly leads?: () => boolean;
}

/** Read model for the API, metrics and health checks: the latest known state, built from the events of the controller. */
export class ReadModel {
  readonly #options: ReadModelOptions;
  readonly startedAt: Date;
  /** Increases with every change of the read model. */
  revision = 0;
  /** The number of the last pass. */
  cycle = 0;
  services: readonly DiscoveredService[] = [];
  /** Number of candidates that are left out because responses contradict their type. */
  disproven = 0;
  discoveryProblems: readonly Problem[] = [];
  publishProblems: readonly Problem[] = [];
  /** Why the agent does not have what is published; `undefined` if it has. It does not affect readiness. */
  agentProblem: Problem | undefined;
  /** The published state at the last read; undefined if it is unknown or does not exist. */
  published: Observed | undefined;
  lastDiscovery: Date | undefined;
  lastDuration: number | undefined;
  lastPublished: Date | undefined;
  counters: Counters = { cycles: 0, examined: 0, publications: 0, failures: 0, drift: 0 };
  dependencies: Readonly<Record<'kubernetes' | 'configmap' | 'discovery', Dependency>>;
  /** The targets other than the home target, by id. They do not affect readiness. */
  targets: ReadonlyMap<string, TargetStatus> = new Map();
  readonly #listeners = new Set<() => void>();
  #ids: Ids = new Map();
  readonly #catalog = new Catalog();
  readonly #histories = new HealthHistories();
  /** The tools in `published`; undefined until they were read. */
  #tools: readonly PublishedTool[] | undefined;
  /** The last valid overrides. */
  #overrides: Overrides = NO_OVERRIDES;
  #cuts: readonly Cut[] = [];
  #omissions: readonly Omission[] = [];
  /** See `AgentState.leftOut`. */
  #leftOutByAgent: readonly Omission[] = [];
  /** Both. It is another array only if one of them changed. */
  #allOmissions: readonly Omission[] = [];
  #publishFailure: string | undefined;
  /** Whether Services cannot be read. */
  #isUnread = false;
  /** Of the published documents. */
  #leftOutOf: LeftOutOf | undefined;

  constructor(options: ReadModelOptions) {
    this.#options = options;
    this.startedAt = options.now();
    const waiting: Dependency = { status: 'waiting', since: this.startedAt };
    this.dependencies = { kubernetes: waiting, configmap: waiting, discovery: waiting };
  }

  /** The cluster cannot be read, so the controller cannot start. */
  sourceUnavailable(why: string): void {
    this.revision++;
    this.#set('kubernetes', 'failing', why);
  }

  /** The readiness checks. */
  get ready(): Readonly<Record<string, boolean>> {
    return Object.fromEntries(
      Object.entries(this.dependencies).map(([name, { status }]) => [name, status === 'ok']),
    );
  }

  /** The known backends; see `Catalog`. */
  get backends(): Catalog {
    return this.#catalog;
  }

  /**
   * The current health of a backend. In an outage its last verdict stays, which keeps its tool, but says nothing about its
   * health now.
   */
  healthNow({ verdict: { health } }: Pick<DiscoveredService, 'verdict'>): Health {
    return this.#isOutage && health === 'healthy' ? 'unknown' : health;
  }

  /** The published tools. */
  get tools(): readonly PublishedTool[] {
    return this.#tools ?? [];
  }

  history(id: BackendId): BackendHistory | undefined {
    return this.#histories.of(id);
  }

  /** Calls a listener after each event that changes the read model. @returns unsubscribes */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  apply(event: EngineEvent): void {
    if (!this.#apply(event)) return;
    this.revision++;
    for (const listener of this.#listeners) listener();
  }

  /** @returns whether the event changed anything. Most do not: each probe emits one, and the pass summarizes them. */
  #apply(event: EngineEvent): boolean {
    if (event.targetId !== undefined) return this.#applyToTarget(event.targetId, event);
    switch (event.kind) {
      case 'pass':
        this.#pass(event);
        return true;
      case 'source-failed':
        this.#isUnread = true;
        this.#set('kubernetes', 'failing', (event.error as Error).message);
        return true;
      case 'source-recovered':
        this.#isUnread = false;
        this.#set('kubernetes', 'ok');
        return true;
      case 'discovery-failed':
        this.#set('discovery', 'failing', (event.error as Error).message);
        return true;
      case 'observed':
        this.#observed(event.live);
        return true;
      case 'observe-failed':
      case 'publish-failed':
        this.#set('configmap', 'failing', (event.error as Error).message);
        if (event.kind === 'publish-failed') this.#publishFailed((event.error as Error).message);
        return true;
      case 'reconciled':
        this.#reconciled(event);
        return true;
      case 'published':
        this.lastPublished = this.#options.now();
        this.#count('publications');
        return true;
      case 'drift':
      case 'recreated':
        this.#count('drift');
        return true;
      case 'agent-state':
        this.#agentState(event.state);
        return true;
      case 'reconfigured':
        this.#refresh();
        return true;
      default:
        return false;
    }
  }

  /** The same for a target other than the home target. Nothing else depends on its state. */
  #applyToTarget(id: string, event: EngineEvent): boolean {
    const now = this.#options.now();
    const before = this.targets.get(id) ?? {
      ...{ status: 'waiting' as const, since: this.startedAt, problems: NOTHING },
      tools: undefined,
      lastPublished: undefined,
    };
    const change = targetChange(event, now);
    if (change === undefined) return false;
    const { error: _, ...kept } = before;
    const isSame = (change.status ?? before.status) === before.status;
    const error = isSame && before.error !== undefined ? { error: before.error } : {};
    const status = { ...kept, ...error, ...change, since: isSame ? before.since : now };
    if (isDeepStrictEqual(status, this.targets.get(id))) return false;
    this.targets = new Map([...this.targets, [id, status]]);
    return true;
  }

  #pass({ cycle, services, ids, disproven = 0, ...event }: EventOf<'pass'>): void {
    const { problems, examined, milliseconds } = event;
    const now = this.#options.now();
    this.cycle = cycle;
    this.services = services;
    this.#ids = ids;
    this.disproven = disproven;
    this.discoveryProblems = problems;
    this.lastDiscovery = now;
    this.lastDuration = milliseconds;
    this.counters = { ...this.counters, cycles: this.counters.cycles + 1, examined };
    // Results of probes lead to passes, too, also if Services cannot be read.
    if (!this.#isUnread) this.#set('kubernetes', 'ok');
    this.#set('discovery', 'ok');
    this.#refresh();
    this.#histories.record(this.#catalog.backends, now);
  }

  /** Parses the tools and overrides of the published state, once per version. */
  #observed(live: Observed | undefined): void {
    const before = this.published;
    const isKnown = this.#tools !== undefined;
    this.published = live;
    this.#set('configmap', 'ok');
    const hasSameTools = isKnown && isDeepStrictEqual(live?.present.documents, before?.present.documents);
    const hasSameOverrides = isKnown && live?.data[OVERRIDES_KEY] === before?.data[OVERRIDES_KEY];
    if (!hasSameTools) {
      this.#tools = live?.present.tools ?? [];
      this.#leftOutOf = live && this.#options.outputs?.leftOutOf(live.present);
    }
    if (!hasSameOverrides) {
      const read = readOverrides(live?.data[OVERRIDES_KEY]);
      if ('value' in read) this.#overrides = read.value;
    }
    const { annotations = {} } = live ?? {};
    const isStill = STATE_ANNOTATIONS.every((key) => annotations[key] === before?.annotations[key]);
    if (!(hasSameTools && hasSameOverrides && isStill)) this.#refresh();
  }

  #reconciled({ ok, problems, cuts, omissions }: EventOf<'reconciled'>): void {
    this.publishProblems = problems;
    const failure = ok ? undefined : this.#publishFailure;
    const before = [this.#cuts, this.#omissions, this.#publishFailure];
    // Each generation returns new arrays. Equal ones are not replaced, so that unchanged backends stay the same objects.
    this.#cuts = unlessEqual(this.#cuts, cuts);
    this.#omissions = unlessEqual(this.#omissions, omissions);
    this.#publishFailure = failure;
    const isSame = [this.#cuts, this.#omissions, failure].every((each, index) => each === before[index]);
    if (isSame) return;
    this.#allOmissions = [...this.#omissions, ...this.#leftOutByAgent];
    this.#refresh();
  }

  #agentState(state: AgentState | undefined): void {
    const [problem, leftOut] = [this.agentProblem, this.#leftOutByAgent];
    this.agentProblem = state?.problem;
    this.#leftOutByAgent = unlessEqual(leftOut, state?.leftOut ?? NOTHING);
    if (this.#leftOutByAgent === leftOut && isDeepStrictEqual(this.agentProblem, problem)) return;
    this.#allOmissions = [...this.#omissions, ...this.#leftOutByAgent];
    this.#refresh();
  }

  #publishFailed(message: string): void {
    this.#count('failures');
    const isSame = this.#publishFailure === message;
    this.#publishFailure = message;
    if (!isSame) this.#refresh();
  }

  get #isOutage(): boolean {
    return this.discoveryProblems.some(({ where }) => where === OUTAGE_PLACE);
  }

  /** Rebuilds the backends after one of their inputs changed. */
  #refresh(): void {
    const { policy, leads, removalHold, now } = this.#options;
    const decides = leads?.() ?? true;
    this.#catalog.update(
      {
        found: this.services,
        ids: this.#ids,
        tools: this.tools,
        overrides: this.#overrides,
        policy: policy?.() ?? {},
        publication: {
          isKnown: this.#tools !== undefined,
          ...publicationState(this.published?.annotations, removalHold?.()),
          failure: this.#publishFailure,
          agentProblem: decides ? this.agentProblem?.what : undefined,
          decides,
        },
        cuts: decides ? this.#cuts : NOTHING,
        omissions: decides ? this.#allOmissions : NOTHING,
        leftOutOf: this.#leftOutOf,
        isOutage: this.#isOutage,
      },
      now(),
    );
  }

  #count(what: 'publications' | 'failures' | 'drift'): void {
    this.counters = { ...this.counters, [what]: this.counters[what] + 1 };
  }

  #set(name: keyof ReadModel['dependencies'], status: Dependency['status'], error?: string): void {
    const before = this.dependencies[name];
    this.dependencies = {
      ...this.dependencies,
      [name]: {
        status,
        since: before.status === status ? before.since : this.#options.now(),
        ...(error === undefined ? {} : { error }),
      },
    };
  }
}

/** The new value, or the old one if they are equal or there is no new one. */
const unlessEqual = <T>(before: T, now: T | undefined): T =>
  now === undefined || isDeepStrictEqual(before, now) ? before : now;

/** The change of a target's status by an event. */
function targetChange(event: EngineEvent, now: Date): Partial<TargetStatus> | undefined {
  switch (event.kind) {
    case 'observed':
      return { status: 'ok', tools: event.live?.present.tools.length ?? 0 };
    case 'observe-failed':
    case 'publish-failed':
      return { status: 'failing', error: (event.error as Error).message };
    case 'reconciled':
      return { problems: event.problems };
    case 'agent-state':
      return { agentProblem: event.state?.problem };
    case 'published':
      return { lastPublished: now };
    default:
      return undefined;
  }
}

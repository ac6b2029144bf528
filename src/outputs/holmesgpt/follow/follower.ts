import { type Problem, problemLine } from '../../../model/discovery.ts';
import type { Omission } from '../../../model/documents.ts';
import { DriftRateLimiter } from '../../../model/drift-rate-limiter.ts';
import { type PublishedTool, publishedHosts } from '../../../model/published-tools.ts';
import type { AgentState, Follower, FollowerListener, FollowInput, FollowOutcome } from '../../output.ts';
import { FILE } from '../merge/agent-file.ts';
import type { AgentTarget, SyncResult } from './publisher.ts';
import type { Reloader } from './reload.ts';
import { dueAt, type Pace, type PendingReload, pendingAfter, retryDelay } from './schedule.ts';

export interface AgentOptions {
  readonly target: AgentTarget;
  /** `undefined` if HolmesGPT reloads on its own, or never. */
  readonly reloader: Reloader | undefined;
  /** Minimum time between two reloads, in milliseconds. */
  readonly reloadInterval: number;
  /** How long the last observed state of the cluster is trusted, in milliseconds. */
  readonly checkInterval: number;
  /** The last known room for the file; absent: unknown. */
  readonly room?: number | undefined;
  /** A monotonic clock, in milliseconds. */
  readonly now: () => number;
  /** The wall clock, for comparison with timestamps in the cluster. */
  readonly date: () => Date;
  readonly random: () => number;
}

/** How long a reload waits while the documents keep changing, in milliseconds. */
const LONGEST_WAIT = 10_000;

/** A file that the agent has not read yet. */
interface Pending extends PendingReload {
  /** Reload even if the remembered state is the same, because the file was different in between. */
  readonly forced: boolean;
  /** The remembered state in the cluster was compared. */
  readonly compared: boolean;
  readonly reported: boolean;
}

/** Another client that writes again after each write of ours. */
const FIGHT: Problem = {
  where: "HolmesGPT's ConfigMap",
  what: 'others write it so often that for now their changes are answered only once per DISCOVERY_INTERVAL',
  fix: 'if that is a program, find it in metadata.managedFields of the ConfigMap, and configure it to ignore the data',
};

/** Level-triggered: each run derives its actions from the published documents, the cluster and the time. */
export class AgentFollower implements Follower {
  readonly #options: AgentOptions;
  readonly #pace: Pace;
  readonly #limiter: DriftRateLimiter;
  #running = false;
  /** The desired document. */
  #desired = '';
  /** The tools that are published with it. */
  #tools: readonly PublishedTool[] = [];
  /** The document that was synced last, and the time of the next check. */
  #lastSynced = '';
  /** The hosts of MCP servers, of the desired and of the synced document. */
  #hosts = '';
  #syncedHosts = '';
  #nextCheckAt = Number.NEGATIVE_INFINITY;
  #rewritten = false;
  /** Identifies what other clients wrote since the last sync; `undefined`: nothing. */
  #foreign: string | undefined;
  /** When a reported fight counts as over, if there is no further change. */
  #fightEndsAt = Number.NEGATIVE_INFINITY;
  #refused: string | undefined;
  #noted: ReadonlySet<string> = new Set();
  /** See `AgentState.leftOut`, as of the last sync. */
  #leftOut: readonly Omission[] = [];
  #token: string | undefined;
  #pending: Pending | undefined;
  #lastReload: number | undefined;
  /** See `Follower.room`. */
  room: number | undefined;
  /** The problem of the last attempt to update the agent, if there is one. `undefined` before the first. */
  #status: Omit<AgentState, 'leftOut'> | undefined;
  #failures = 0;
  #retryAt: number | undefined;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.room = options.room;
    this.#limiter = new DriftRateLimiter(options.checkInterval);
    this.#pace = { lag: options.reloader?.lag ?? 0, interval: options.reloadInterval };
  }

  get state(): AgentState | undefined {
    if (this.#status === undefined || this.#leftOut.length === 0) return this.#status;
    return { ...this.#status, leftOut: this.#leftOut };
  }

  nextDue(): number | undefined {
    const now = this.#options.now();
    if (this.#retryAt !== undefined) return Math.max(0, this.#retryAt - now);
    if (this.#isBehind()) return 0;
    if (this.#pending === undefined || this.#refused !== undefined) return undefined;
    return Math.max(0, dueAt(this.#pending, this.#lastReload, this.#pace) - now);
  }

  async watch({ changed, note }: FollowerListener, signal: AbortSignal): Promise<void> {
    const onChange = (content: string): void => {
      this.#foreign = content;
      if (this.#isForeignDue()) {
        changed();
        return;
      }
      const now = this.#options.now();
      if (now >= this.#fightEndsAt) note(FIGHT);
      this.#fightEndsAt = now + 2 * this.#options.checkInterval;
    };
    await this.#options.target.watch?.({ changed: onChange, failed: note }, signal);
  }

  async follow(published: FollowInput, signal: AbortSignal): Promise<readonly FollowOutcome[]> {
    const { documents, tools, written } = published;
    this.#desired = documents[FILE] ?? '';
    if (tools !== this.#tools) this.#hosts = JSON.stringify([...publishedHosts(tools)]);
    this.#tools = tools;
    if (written.includes(FILE)) this.#rewritten = true;
    if (this.#running) return [];
    if (this.#retryAt !== undefined && this.#options.now() < this.#retryAt) return [];
    this.#running = true;
    const outcomes: FollowOutcome[] = [];
    try {
      // One sync per call, so that its outcomes are reported and the agent reloads even while the documents keep changing.
      if (this.#isBehind() || this.#options.now() >= this.#nextCheckAt) await this.#sync(outcomes, signal);
      if (await this.#reload(outcomes, signal)) this.#status = {};
      this.#failures = 0;
      this.#retryAt = undefined;
    } catch (error) {
      signal.throwIfAborted();
      const retryIn = retryDelay(++this.#failures, this.#options.random);
      this.#retryAt = this.#options.now() + retryIn;
      outcomes.push({ kind: 'agent-failed', error, retryIn });
      this.#status = { problem: { where: 'HolmesGPT', what: (error as Error).message } };
    } finally {
      this.#running = false;
    }
    return outcomes;
  }

  /** Whether something changed since the last sync. */
  #isBehind(): boolean {
    return (
      this.#desired !== this.#lastSynced ||
      this.#hosts !== this.#syncedHosts ||
      this.#rewritten ||
      this.#isForeignDue()
    );
  }

  /** Whether other clients changed something, and the rate limit allows an answer. */
  #isForeignDue(): boolean {
    return this.#foreign !== undefined && this.#limiter.delayFor(this.#foreign, this.#options.now()) === 0;
  }

  async #sync(outcomes: FollowOutcome[], signal: AbortSignal): Promise<void> {
    const { target, reloader, checkInterval } = this.#options;
    const file = this.#desired;
    const tools = this.#tools;
    const hosts = this.#hosts;
    const rewritten = this.#rewritten;
    const foreign = this.#foreign;
    // A rewrite or a change during the call below starts another sync.
    this.#rewritten = false;
    this.#foreign = undefined;
    let result: SyncResult;
    try {
      result = await target.sync(file, signal, tools);
    } catch (error) {
      this.#rewritten ||= rewritten;
      this.#foreign ??= foreign;
      throw error;
    }
    const now = this.#options.now();
    // Also if nothing was written, so that no writer can keep this busy.
    if (foreign !== undefined) this.#limiter.recordRevert(foreign, now);
    this.#lastSynced = file;
    this.#syncedHosts = hosts;
    this.#nextCheckAt = now + checkInterval * 0.9;
    // Once the room was too small, it is a limit, so that the file does not grow and shrink in turns.
    if ('refused' in result) {
      this.room = result.room ?? this.room;
      return this.#refuse(result.refused, outcomes);
    }
    if (this.room !== undefined) this.room = result.room;
    if (result.written !== undefined) outcomes.push({ kind: 'agent-written', ...result.written });
    this.#note(result.notes ?? [], outcomes);
    this.#leftOut = result.leftOut ?? [];
    if (result.frozen && reloader?.how === 'endpoint')
      return this.#refuse(
        {
          where: reloader.target,
          what: 'custom_toolset.yaml is mounted with subPath, so a running Pod never sees a change of it',
          fix: 'mount the folder, or set HOLMESGPT_RELOAD=restart',
        },
        outcomes,
      );
    // The next refusal is a new one, although the reload for this state may be due later.
    if (this.#refused !== undefined) this.#status = { reloadsLater: true };
    this.#refused = undefined;
    const forced = result.direct && rewritten;
    if (reloader === undefined || (result.token === this.#token && !forced)) return;
    this.#token = result.token;
    this.#pending = {
      since: this.#pending?.since ?? now,
      latest: now,
      forced: forced || this.#pending?.forced === true,
      compared: false,
      reported: this.#pending?.reported ?? false,
    };
  }

  #note(notes: readonly Problem[], outcomes: FollowOutcome[]): void {
    for (const problem of notes)
      if (!this.#noted.has(problemLine(problem))) outcomes.push({ kind: 'agent-note', problem });
    this.#noted = new Set(notes.map(problemLine));
  }

  #refuse(problem: Problem, outcomes: FollowOutcome[]): void {
    const line = problemLine(problem);
    if (line !== this.#refused) outcomes.push({ kind: 'agent-refused', problem });
    this.#refused = line;
    this.#status = { problem };
  }

  /** The time of the last reload on the monotonic clock. Ignores a timestamp from the future. */
  #lastReloadAt(at: number | undefined): number | undefined {
    const { now, date } = this.#options;
    const ago = at === undefined ? -1 : date().getTime() - at;
    const times = [this.#lastReload, ago < 0 ? undefined : now() - ago].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.max(...times);
  }

  /** @returns whether the agent has the file: false while it may not have it, and while a reload is due later */
  async #reload(outcomes: FollowOutcome[], signal: AbortSignal): Promise<boolean> {
    const { reloader } = this.#options;
    // While the hand-written file is broken, a restart would break a running agent.
    if (this.#refused !== undefined) return false;
    if (this.#pending === undefined || reloader === undefined) return true;
    const token = this.#token ?? '';
    if (!this.#pending.compared) {
      const remembered = await reloader.remembered(signal);
      if (remembered.token === token && !this.#pending.forced) {
        this.#pending = undefined;
        return true;
      }
      this.#lastReload = this.#lastReloadAt(remembered.at);
      this.#pending = { ...this.#pending, compared: true };
    }
    const now = this.#options.now();
    const due = dueAt(this.#pending, this.#lastReload, this.#pace);
    const { target, how } = reloader;
    // A reload delays the next one, so it is for the latest state, unless that keeps changing.
    if (this.#isBehind() && now < this.#pending.since + LONGEST_WAIT) return false;
    if (now < due) {
      if (!this.#pending.reported) outcomes.push({ kind: 'agent-reload-delayed', target, dueIn: due - now });
      this.#pending = { ...this.#pending, reported: true };
      return false;
    }
    const { forced } = this.#pending;
    const done = await reloader.reload(token, { forced, now: this.#options.date() }, signal);
    this.#lastReload = now;
    const rest = pendingAfter(this.#pending, this.#pace, now);
    this.#pending = rest && { ...rest, forced: true, compared: true, reported: false };
    if (done) outcomes.push({ kind: how === 'restart' ? 'agent-restarted' : 'agent-reloaded', target });
    return true;
  }
}

import { type Candidate, endpointUrl, type Problem, type Verdict } from '../model/discovery.ts';
import { keyOfService, type ServiceKey } from '../model/service.ts';
import { type HysteresisOptions, isOpen, type Memory, refreshed, remember } from './hysteresis.ts';
import type { ProbeEvent, Prober, Recalled, RememberingProber } from './prober.ts';

export interface ScheduleOptions extends HysteresisOptions {
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** Told what came of each probe that was made. */
  readonly tell?: (event: ProbeEvent) => void;
}

/** News of a candidate that came while it was asked. */
interface News {
  touched: boolean;
  becameReady: boolean;
}

/** What is asked of a candidate: another endpoint or detector is another question. */
export function subjectOf(candidate: Candidate): string {
  const known = subjects.get(candidate);
  if (known !== undefined) return known;
  const { detector, endpoint, healthPath = '' } = candidate;
  const subject = `${detector} ${endpointUrl(endpoint)} ${healthPath}`;
  subjects.set(candidate, subject);
  return subject;
}

const subjects = new WeakMap<Candidate, string>();

/** A prober with a memory: see `remember`. Candidates are asked when they are due, and else answered from memory. */
export class ScheduledProber implements RememberingProber {
  readonly #prober: Prober;
  readonly #options: ScheduleOptions;
  #memories: Map<ServiceKey, Memory>;
  /** Candidates that counted in the last pass: only these are worth a pass of their own. */
  readonly #asked: Set<ServiceKey>;
  /** Of candidates that are being asked. */
  readonly #news = new Map<ServiceKey, News>();

  /** @param before whose memory it goes on with */
  constructor(prober: Prober, options: ScheduleOptions, before?: ScheduledProber) {
    this.#prober = prober;
    this.#options = options;
    this.#memories = new Map(before === undefined ? [] : before.#memories);
    this.#asked = new Set(before === undefined ? [] : before.#asked);
  }

  /** Milliseconds until a failed backend is due; nothing while all are well. */
  nextRetry(): number | undefined {
    let due = Number.POSITIVE_INFINITY;
    for (const key of this.#asked) {
      const memory = this.#memories.get(key);
      // One that is being probed is due when that is over.
      if (memory !== undefined && isOpen(memory) && !this.#news.has(key)) due = Math.min(due, memory.due);
    }
    return due === Number.POSITIVE_INFINITY ? undefined : Math.max(0, due - this.#options.now());
  }

  /**
   * Makes a candidate due now: something that its health depends on changed. A probe that is under way does not undo that.
   * @param becameReady one of its Pods is ready now, and none was before
   */
  touch(key: ServiceKey, becameReady = false): void {
    const news = this.#news.get(key);
    if (news !== undefined) {
      news.touched = true;
      news.becameReady ||= becameReady;
    }
    const memory = this.#memories.get(key);
    if (memory !== undefined) this.#memories.set(key, refreshed(memory, becameReady, this.#options.now()));
  }

  /** Makes all candidates of a kind due now. @param all those too that answered the last time */
  touchAll(wanted: (key: ServiceKey) => boolean, all: boolean): void {
    for (const [key, memory] of this.#memories) if (wanted(key) && (all || isOpen(memory))) this.touch(key);
  }

  /** Forgets all candidates but these. */
  async prepare(candidates: readonly Candidate[], signal: AbortSignal): Promise<readonly Problem[]> {
    const kept = new Map<ServiceKey, Memory>();
    for (const { service } of candidates) {
      const memory = this.#memories.get(keyOfService(service));
      if (memory !== undefined) kept.set(keyOfService(service), memory);
    }
    this.#memories = kept;
    this.#asked.clear();
    return (await this.#prober.prepare?.(candidates, signal)) ?? [];
  }

  recall(candidate: Candidate): Recalled {
    const key = keyOfService(candidate.service);
    this.#asked.add(key);
    const memory = this.#memories.get(key);
    if (memory?.subject !== subjectOf(candidate)) return { verdict: undefined, isDue: true };
    return { verdict: memory.told, isDue: this.#options.now() >= memory.due };
  }

  async probe(candidate: Candidate, signal: AbortSignal): Promise<Verdict> {
    const key = keyOfService(candidate.service);
    this.#asked.add(key);
    const subject = subjectOf(candidate);
    const known = this.#memories.get(key);
    if (known?.subject === subject && this.#options.now() < known.due) return known.told;
    const news: News = { touched: false, becameReady: false };
    this.#news.set(key, news);
    try {
      const verdict = await this.#ask(candidate, signal);
      // The candidate changed meanwhile, and another probe is under way: this answer is about what it was.
      if (this.#news.get(key) !== news) return verdict;
      // What was learned of its Pods meanwhile is in the memory, if there was one.
      const latest = this.#memories.get(key);
      const before = latest?.subject === subject ? latest : undefined;
      const now = this.#options.now();
      const memory = remember(before, subject, verdict, now, this.#options);
      this.#memories.set(key, news.touched ? refreshed(memory, news.becameReady, now) : memory);
      return memory.told;
    } finally {
      if (this.#news.get(key) === news) this.#news.delete(key);
    }
  }

  async #ask(candidate: Candidate, signal: AbortSignal): Promise<Verdict> {
    const { type } = candidate;
    let verdict: Verdict | undefined;
    try {
      verdict = await this.#prober.probe(candidate, signal);
      return verdict;
    } finally {
      if (!signal.aborted) this.#options.tell?.({ kind: 'probed', type, verdict });
    }
  }
}

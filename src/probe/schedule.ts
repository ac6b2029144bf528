import type { Candidate, Problem, Verdict } from '../model/discovery.ts';
import { endpointUrl } from '../model/discovery.ts';
import { type ServiceKey, serviceKey } from '../model/service.ts';
import type { ProbeEvent, Prober } from './prober.ts';

export interface ScheduleOptions {
  /** How long a healthy verdict is taken as it is, in milliseconds. */
  readonly refresh: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** Told what came of each probe that was made. */
  readonly tell?: (event: ProbeEvent) => void;
}

/** Failures in a row, and the time over which they must be spread, before a backend leaves. */
const FAILURES_TO_LEAVE = 3;
const SPREAD_TO_LEAVE = 30_000;
/** Pause before a failed backend is asked again, in milliseconds; doubled each time once it has left. */
const RETRY = 15_000;

/** What is known of one candidate. */
interface Memory {
  /** What was asked: another endpoint or detector starts anew. */
  readonly subject: string;
  /** What the rest of the program is told. */
  readonly told: Verdict;
  readonly failures: number;
  /** How often in a row nothing could be said of it. */
  readonly silences: number;
  readonly failingSince: number;
  /** When it is to be asked again. */
  readonly due: number;
}

const isGood = (verdict: Verdict): boolean =>
  verdict.health === 'healthy' && verdict.proof !== 'contradicted';

/**
 * What is remembered after a verdict: one success enters at once; to leave takes three failures in a row, spread over
 * half a minute; a backend that left is asked less and less often. Pure.
 */
export function remember(
  before: Memory | undefined,
  subject: string,
  verdict: Verdict,
  now: number,
  options: Pick<ScheduleOptions, 'refresh' | 'random'>,
): Memory {
  const jitter = 0.9 + options.random() / 5;
  if (isGood(verdict))
    return {
      subject,
      told: verdict,
      failures: 0,
      silences: 0,
      failingSince: now,
      due: now + options.refresh * jitter,
    };
  const entered = before !== undefined && isGood(before.told);
  if (verdict.health === 'unknown') {
    const told = entered ? before.told : verdict;
    const silences = (before?.silences ?? 0) + 1;
    const pause = Math.max(RETRY, Math.min(options.refresh, RETRY * 2 ** Math.min(silences - 1, 20)));
    const failures = before?.failures ?? 0;
    return { subject, told, failures, silences, failingSince: now, due: now + pause * jitter };
  }
  const failures = (before?.failures ?? 0) + 1;
  const failingSince = failures === 1 ? now : (before?.failingSince ?? now);
  if (entered && (failures < FAILURES_TO_LEAVE || now - failingSince < SPREAD_TO_LEAVE)) {
    const told = { ...before.told, reason: `kept for now, failure ${failures} in a row: ${verdict.reason}` };
    return { subject, told, failures, silences: 0, failingSince, due: now + RETRY * jitter };
  }
  // To look at the cluster's own data costs nothing, so that is done as often as ever.
  const patience =
    verdict.steps.length === 0 ? RETRY : Math.min(options.refresh, RETRY * 2 ** Math.min(failures - 1, 20));
  return {
    subject,
    told: verdict,
    failures,
    silences: 0,
    failingSince,
    due: now + Math.max(patience, RETRY) * jitter,
  };
}

/** A prober with a memory: see `remember`. Candidates are asked when they are due, and else answered from memory. */
export class ScheduledProber implements Prober {
  readonly #prober: Prober;
  readonly #options: ScheduleOptions;
  #memories: Map<string, Memory>;

  /** @param before whose memory it goes on with */
  constructor(prober: Prober, options: ScheduleOptions, before?: ScheduledProber) {
    this.#prober = prober;
    this.#options = options;
    this.#memories = new Map(before === undefined ? [] : before.#memories);
  }

  /** Milliseconds until a failed backend is due; nothing while all are well. */
  nextRetry(): number | undefined {
    const due = [...this.#memories.values()].filter(
      ({ failures, told }) => failures > 0 || told.health === 'unknown',
    );
    if (due.length === 0) return undefined;
    return Math.max(0, Math.min(...due.map((memory) => memory.due)) - this.#options.now());
  }

  /** Makes a candidate due now: something that its health depends on changed. */
  touch(key: ServiceKey): void {
    const memory = this.#memories.get(key);
    if (memory === undefined) return;
    this.#memories.set(key, { ...memory, due: this.#options.now() });
  }

  /** Makes all candidates of a kind due now. @param all those too that are healthy */
  touchAll(wanted: (key: ServiceKey) => boolean, all: boolean): void {
    for (const [key, { told }] of this.#memories)
      if (wanted(key as ServiceKey) && (all || !isGood(told))) this.touch(key as ServiceKey);
  }

  /** Forgets all candidates but these. */
  async prepare(candidates: readonly Candidate[], signal: AbortSignal): Promise<readonly Problem[]> {
    const kept = new Map<string, Memory>();
    for (const { service } of candidates) {
      const memory = this.#memories.get(serviceKey(service));
      if (memory !== undefined) kept.set(serviceKey(service), memory);
    }
    this.#memories = kept;
    return (await this.#prober.prepare?.(candidates, signal)) ?? [];
  }

  async probe(candidate: Candidate, signal: AbortSignal): Promise<Verdict> {
    const key = serviceKey(candidate.service);
    const subject = `${candidate.detector} ${endpointUrl(candidate.endpoint)} ${candidate.healthPath ?? ''}`;
    const known = this.#memories.get(key);
    const before = known?.subject === subject ? known : undefined;
    if (before !== undefined && this.#options.now() < before.due) return before.told;
    const verdict = await this.#ask(candidate, signal);
    const memory = remember(before, subject, verdict, this.#options.now(), this.#options);
    this.#memories.set(key, memory);
    return memory.told;
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

import type { Candidate, Fault, Problem, Verdict } from '../model/discovery.ts';
import { displayNamespace, HOME_CLUSTER } from '../model/key.ts';
import { type ServiceKey, serviceKey } from '../model/service.ts';
import { oneLine } from '../model/text.ts';
import type { Fetch, Phase, Progress } from './fetch.ts';
import { type ProbeKind, probeHttp } from './http.ts';
import { type Exchange, probeKafka } from './kafka.ts';
import { probeMcp } from './mcp.ts';
import { HAND_ON, probeSlots } from './probe-slots.ts';
import { turns } from './turns.ts';

/** Asks a candidate whether it is alive and what it is. Throws only when the signal is aborted. */
export interface Prober {
  /** Called before each pass with all its candidates. @returns what a person should know */
  prepare?(candidates: readonly Candidate[], signal: AbortSignal): Promise<readonly Problem[]>;
  probe(candidate: Candidate, signal: AbortSignal): Promise<Verdict>;
}

/** What is known of a candidate without probing it. */
export interface Recalled {
  /** What the rest of the program goes by; undefined until it was probed as it is now. */
  readonly verdict: Verdict | undefined;
  /** It is time to probe it. */
  readonly isDue: boolean;
}

/** A prober that remembers verdicts, and knows when to ask again. */
export interface RememberingProber extends Prober {
  prepare(candidates: readonly Candidate[], signal: AbortSignal): Promise<readonly Problem[]>;
  /** From then on the candidate counts for `nextRetry`, until the next `prepare`. */
  recall(candidate: Candidate): Recalled;
  /** Milliseconds until a backend is to be probed although nothing changed; undefined while all are well. */
  nextRetry(): number | undefined;
}

/** What happens while candidates are asked; only for those who count it. Times are in milliseconds. */
export type ProbeEvent =
  /** A backend is being asked. */
  | { readonly kind: 'probe-began' }
  | { readonly kind: 'probe-ended'; readonly type: string; readonly milliseconds: number }
  /** What came of it; no verdict: it failed in a way that no probe should. */
  | { readonly kind: 'probed'; readonly type: string; readonly verdict: Verdict | undefined }
  /** No backend can be reached, which points at this process; undefined: one is reached again. */
  | { readonly kind: 'outage'; readonly outage: 'dns' | 'network' | undefined };

/** How candidates are reached. */
export interface Route {
  /** The cluster that it leads to; the home cluster without. A name such as `loki.monitoring.svc` is another host in each. */
  readonly cluster?: string;
  readonly fetch: Fetch;
  /** For protocols that are not HTTP; a route without it cannot reach those. */
  readonly exchange?: Exchange;
}

export interface ProbeLimits {
  /**
   * Most probes at a time; one sends two requests at once at most. One that has waited for an answer for a while does not
   * count any more, see `probeSlots`.
   */
  readonly concurrency: number;
  /** Longest time for one probe, in milliseconds. */
  readonly timeout: number;
}

/** Most backends that are remembered for giving no answer. */
const SILENT = 10_000;

/**
 * Most probes that begin in one turn of the event loop. Where backends answer at once, all that are asked at a time would
 * be dealt with in one long turn, and requests to our own API would wait for it. With slow backends turns are short.
 */
const TURN = 1;

/**
 * Aborts after the time limit, after a shorter one as soon as `mayEnd` says so, and with the signal. The parent signal lives
 * as long as the process, so the listener must be removed.
 */
function probeDeadline(limits: ProbeLimits, mayEnd: () => boolean, signal: AbortSignal) {
  const clock = new AbortController();
  const onAbort = (): void => clock.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const started = performance.now();
  const short = Math.min(HAND_ON, limits.timeout);
  const look = (): void => {
    const spent = performance.now() - started;
    if (spent >= limits.timeout || mayEnd()) clock.abort();
    else timer = setTimeout(look, Math.min(100, limits.timeout - spent));
  };
  let timer = setTimeout(look, short);
  return {
    signal: clock.signal,
    /** Time that passed, in milliseconds. */
    spent: () => performance.now() - started,
    end: () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    },
  };
}

const LATE: Readonly<Record<Phase, readonly [Fault, string]>> = {
  resolving: ['resolution', 'its name did not resolve'],
  connecting: ['connection', 'no connection'],
  securing: ['tls', 'it took the connection, and TLS did not begin'],
  asking: ['timeout', 'no answer'],
};

/** The verdict on a probe whose time is over, by how far it got. @param spent milliseconds */
function late({ phase = 'asking' }: Progress, spent: number): Verdict {
  const [fault, what] = LATE[phase];
  const reason = `${what} within ${(spent / 1000).toFixed(1)} s`;
  return {
    health: 'unhealthy',
    authRequired: false,
    proof: 'unproven',
    fault,
    reason,
    steps: [{ asked: 'all of it', answered: reason }],
  };
}

/** The verdict on a candidate of a cluster to which the route does not lead: its names would lead to other hosts. */
const elsewhere = (cluster: string): Verdict => ({
  health: 'unhealthy',
  authRequired: false,
  proof: 'unproven',
  fault: 'refused',
  reason: `it is in the cluster ${oneLine(cluster || 'that this process runs in', 200)}, and there is no route to that`,
  steps: [],
});

/**
 * Probes candidates in parallel under a limit that namespaces share fairly, each within a time limit.
 * @param kinds what is known of each kind of backend
 * @param tell told when each begins and ends
 */
export function createProber(
  kinds: readonly ProbeKind[],
  route: Route,
  limits: ProbeLimits,
  tell: (event: ProbeEvent) => void = () => {},
): Prober {
  const { cluster = HOME_CLUSTER } = route;
  const slots = probeSlots(limits.concurrency);
  const silent = new Set<ServiceKey>();
  const turn = turns(TURN);
  const byDetector = new Map(kinds.map((kind) => [kind.detector, kind]));

  const ask = (
    candidate: Candidate,
    signal: AbortSignal,
    progress: Progress,
    proven: (verdict: Verdict) => void,
  ): Promise<Verdict> => {
    const fetch: Fetch = (...request) => route.fetch(request[0], request[1], request[2], progress);
    switch (byDetector.get(candidate.detector)?.spec.protocol) {
      case 'mcp':
        return probeMcp(candidate, fetch, signal, proven);
      case 'kafka':
        return probeKafka(candidate, route.exchange, signal, progress);
      default:
        return probeHttp(candidate, kinds, fetch, signal);
    }
  };

  const probe = async (candidate: Candidate, signal: AbortSignal): Promise<Verdict> => {
    await turn();
    signal.throwIfAborted();
    const key = serviceKey(candidate.service);
    // All others have their whole time: one that is slow is not dead.
    const wasSilent = silent.delete(key);
    const clock = probeDeadline(limits, () => wasSilent && slots.areShort, signal);
    const progress: Progress = {};
    tell({ kind: 'probe-began' });
    let sure: Verdict | undefined;
    try {
      const { promise: over, reject } = Promise.withResolvers<never>();
      clock.signal.addEventListener('abort', () => reject(clock.signal.reason), { once: true });
      return await Promise.race([
        ask(candidate, clock.signal, progress, (verdict) => {
          sure = verdict;
        }),
        over,
      ]);
    } catch (error) {
      signal.throwIfAborted();
      if (!clock.signal.aborted) throw error;
      if (sure !== undefined) return sure;
      if (silent.size < SILENT) silent.add(key);
      return late(progress, clock.spent());
    } finally {
      clock.end();
      tell({ kind: 'probe-ended', type: candidate.type, milliseconds: clock.spent() });
    }
  };
  return {
    probe(candidate, signal) {
      if (candidate.service.cluster !== cluster) return Promise.resolve(elsewhere(candidate.service.cluster));
      const wasSilent = silent.has(serviceKey(candidate.service));
      return slots.run(displayNamespace(candidate.service), wasSilent, () => probe(candidate, signal));
    },
  };
}

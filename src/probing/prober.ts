import type { Candidate, Fault, Problem, Verdict } from '../model/discovery.ts';
import { clusterField, displayNamespace, HOME_CLUSTER } from '../model/key.ts';
import { CLOCK, createPacer } from '../model/pacer.ts';
import { type ServiceKey, serviceKey } from '../model/service.ts';
import { oneLine } from '../model/text.ts';
import type { Fetch, Phase, ProbeRequest, Progress } from './fetch.ts';
import { type GrpcCall, probeGrpc } from './grpc.ts';
import { type ProbeKind, probeHttp } from './http.ts';
import { probeKafka, type TcpExchange } from './kafka.ts';
import { probeMcp } from './mcp.ts';
import { perTickLimiter } from './per-tick-limiter.ts';
import { createProbeSlots, SLOT_RELEASE_MS } from './probe-slots.ts';
import { ToolRoom } from './tool-room.ts';

/** Probes the health and type of candidates. Throws only if the signal is aborted. */
export interface Prober {
  /** Called before each pass with all its candidates. @returns problems to report */
  prepare?(candidates: readonly Candidate[], signal: AbortSignal): Promise<readonly Problem[]>;
  probe(candidate: Candidate, signal: AbortSignal): Promise<Verdict>;
}

/** The known state of a candidate, without a probe. */
export interface Recalled {
  /** The verdict to use. `undefined` if the candidate was not probed with its current endpoint. */
  readonly verdict: Verdict | undefined;
  /** Whether a probe is due. */
  readonly isDue: boolean;
}

/** A prober that remembers verdicts, and schedules the next probe of each candidate. */
export interface RememberingProber extends Prober {
  prepare(candidates: readonly Candidate[], signal: AbortSignal): Promise<readonly Problem[]>;
  /** Returns the state, and includes the candidate in `nextRetry` until the next `prepare`. */
  recall(candidate: Candidate): Recalled;
  /** Makes a candidate due now, because something changed that its verdict depends on. */
  invalidate(key: ServiceKey): void;
  /** Milliseconds until the next retry of a failing backend. `undefined` if all are healthy. */
  nextRetry(): number | undefined;
}

interface ProbedBackend {
  readonly type: string;
  /** Absent for the home cluster. */
  readonly cluster?: string;
}

export const probedBackend = ({ type, service }: Candidate): ProbedBackend => ({
  type,
  ...clusterField(service),
});

/** Events of probes, for metrics and logs. Times are in milliseconds. */
export type ProbeEvent =
  /** A probe started. */
  | { readonly kind: 'probe-began' }
  | (ProbedBackend & { readonly kind: 'probe-ended'; readonly milliseconds: number })
  /** A probe has a result. Without a verdict, it failed because of a bug. */
  | (ProbedBackend & { readonly kind: 'probed'; readonly verdict: Verdict | undefined })
  /** No backend is reachable, so this process has an outage. `undefined`: the outage ended. */
  | { readonly kind: 'outage'; readonly outage: 'dns' | 'network' | undefined };

/** A route to the backends. */
export interface Route {
  /** The cluster of the backends. Default: the home cluster. A host such as `loki.monitoring.svc` differs by cluster. */
  readonly cluster?: string;
  readonly fetch: Fetch;
  /** For protocols other than HTTP, if the route supports them. */
  readonly exchange?: TcpExchange;
  readonly grpc?: GrpcCall;
}

export interface ProbeLimits {
  /**
   * Maximum concurrent probes. Each sends at most two requests in parallel. A probe that has waited for a while without
   * a response does not count, see `probeSlots`.
   */
  readonly concurrency: number;
  /** Timeout of one probe, in milliseconds. */
  readonly timeout: number;
  /** Whether to keep the texts of MCP tools. They can be large, so only commands that show them do. */
  readonly keepsTexts?: boolean | undefined;
}

/** Maximum tracked silent backends. */
const MAX_SILENT = 10_000;

/**
 * Maximum probes to start per turn of the event loop. If many backends answer at once, handling all of them in one turn
 * would delay requests to our own API.
 */
const PROBES_PER_TICK = 1;
/**
 * Characters of a large answer. One is handled per turn of the event loop, because a server chooses when its answers come and
 * how long they take: a list of tools may take several milliseconds.
 */
const LARGE_ANSWER = 4 * 1024;
const paceAnswers = createPacer({ ...CLOCK, withResumed: true });

/**
 * Aborts a probe at its timeout, earlier if `mayEnd` returns `true` after a short time, and with the parent signal. The
 * parent signal lives as long as the process, so its listener must be removed.
 */
function probeDeadline(limits: ProbeLimits, mayEnd: () => boolean, signal: AbortSignal) {
  const deadline = new AbortController();
  const onAbort = (): void => deadline.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  let started = performance.now();
  let waits = 0;
  const short = Math.min(SLOT_RELEASE_MS, limits.timeout);
  const check = (): void => {
    const spent = performance.now() - started;
    if (waits > 0) timer = setTimeout(check, 100);
    else if (spent >= limits.timeout || mayEnd()) deadline.abort();
    else timer = setTimeout(check, Math.min(100, limits.timeout - spent));
  };
  let timer = setTimeout(check, short);
  return {
    signal: deadline.signal,
    /** Waits without time passing: the backend has answered, and it is not its fault that others did, too. */
    async without(wait: () => Promise<void>): Promise<void> {
      const begun = performance.now();
      waits++;
      await wait();
      waits--;
      started += performance.now() - begun;
    },
    /** Elapsed time, in milliseconds. */
    spent: () => performance.now() - started,
    end: () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    },
  };
}

const TIMEOUT_REASONS: Readonly<Record<Phase, readonly [Fault, string]>> = {
  resolving: ['resolution', 'its name did not resolve'],
  connecting: ['connection', 'no connection'],
  securing: ['tls', 'it accepted the connection, but the TLS handshake did not complete'],
  requesting: ['timeout', 'no answer'],
};

/** The verdict of a probe that timed out, by the phase that it reached. @param spent milliseconds */
function timeoutVerdict({ phase = 'requesting' }: Progress, spent: number): Verdict {
  const [fault, what] = TIMEOUT_REASONS[phase];
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

/** A request that counts the bytes of its response's body. */
const counted = (ask: ProbeRequest, progress: Progress): ProbeRequest => ({
  ...ask,
  enough(chunk) {
    progress.received = (progress.received ?? 0) + chunk.length;
    return ask.enough?.(chunk) === true;
  },
});

/** Bytes of bodies for which a probe keeps its slot. A backend that sends less, such as one byte a second, is silent. */
const MIN_RECEIVED = 4 * 1024;

/** Returns a function that says whether a probe has received enough since the last call. */
function receives(progress: Progress): () => boolean {
  let before = 0;
  return () => {
    const { received = 0 } = progress;
    const more = received - before;
    before = received;
    return more >= MIN_RECEIVED;
  };
}

/** The verdict of a candidate in a cluster without a route. Its host name would resolve to a host of another cluster. */
const noRouteVerdict = (cluster: string): Verdict => ({
  health: 'unhealthy',
  authRequired: false,
  proof: 'unproven',
  fault: 'refused',
  reason: `there is no route to the cluster ${oneLine(cluster || 'that this process runs in', 200)}`,
  steps: [],
});

/** A verdict with the server's certificate, if the backend uses TLS. */
function withCertificate(verdict: Verdict, { endpoint }: Candidate, { certificate }: Progress): Verdict {
  const isSecure = (verdict.scheme ?? endpoint.scheme) === 'https';
  return isSecure ? { ...verdict, ...certificate } : verdict;
}

/**
 * Creates a prober that runs probes in parallel. Namespaces share its concurrency fairly, and each probe has a timeout.
 * @param kinds how to probe each kind of backend
 * @param emit receives an event when a probe starts and ends
 */
export function createProber(
  kinds: readonly ProbeKind[],
  route: Route,
  limits: ProbeLimits,
  emit: (event: ProbeEvent) => void = () => {},
): Prober {
  const { cluster = HOME_CLUSTER } = route;
  const slots = createProbeSlots(limits.concurrency);
  const silent = new Set<ServiceKey>();
  const nextTurn = perTickLimiter(PROBES_PER_TICK);
  const byDetector = new Map(kinds.map((kind) => [kind.detector, kind]));
  const toolRoom = new ToolRoom();

  const probeByProtocol = (
    candidate: Candidate,
    signal: AbortSignal,
    progress: Progress,
    known: (verdict: Verdict) => void,
    waiting: (wait: () => Promise<void>) => Promise<void>,
  ): Promise<Verdict> => {
    const fetch: Fetch = async (to, ask, until) => {
      const answer = await route.fetch(to, counted(ask, progress), until, progress);
      if (answer.body.length > LARGE_ANSWER)
        await waiting(() => new Promise((begin) => void paceAnswers(displayNamespace(to.service), begin)));
      return answer;
    };
    const { protocol, method = '' } = byDetector.get(candidate.detector)?.spec ?? {};
    switch (protocol) {
      case 'mcp':
        return probeMcp(candidate, fetch, signal, {
          keepsTexts: limits.keepsTexts,
          whyUnlisted: () => toolRoom.whyNone(candidate.service),
          known,
        });
      case 'kafka':
        return probeKafka(candidate, route.exchange, signal, progress);
      case 'grpc':
        return probeGrpc(candidate, method, route.grpc, signal, progress);
      default:
        return probeHttp(candidate, kinds, fetch, signal, known);
    }
  };

  const probe = async (candidate: Candidate, signal: AbortSignal, progress: Progress): Promise<Verdict> => {
    await nextTurn();
    signal.throwIfAborted();
    const key = serviceKey(candidate.service);
    // Only backends that were silent before may be cut short, because a slow backend is not dead.
    const wasSilent = silent.delete(key);
    const clock = probeDeadline(limits, () => wasSilent && slots.areShort, signal);
    emit({ kind: 'probe-began' });
    let earlyVerdict: Verdict | undefined;
    try {
      const { promise: over, reject } = Promise.withResolvers<never>();
      clock.signal.addEventListener('abort', () => reject(clock.signal.reason), { once: true });
      const verdict = await Promise.race([
        probeByProtocol(
          candidate,
          clock.signal,
          progress,
          (known) => {
            earlyVerdict = known;
          },
          clock.without,
        ),
        over,
      ]);
      return toolRoom.take(candidate.service, withCertificate(verdict, candidate, progress));
    } catch (error) {
      signal.throwIfAborted();
      if (!clock.signal.aborted) throw error;
      if (earlyVerdict !== undefined) return earlyVerdict;
      if (silent.size < MAX_SILENT) silent.add(key);
      return timeoutVerdict(progress, clock.spent());
    } finally {
      clock.end();
      emit({ kind: 'probe-ended', ...probedBackend(candidate), milliseconds: clock.spent() });
    }
  };
  return {
    async prepare(candidates) {
      toolRoom.retain(candidates.map(({ service }) => service));
      return [];
    },
    probe(candidate, signal) {
      if (candidate.service.cluster !== cluster)
        return Promise.resolve(noRouteVerdict(candidate.service.cluster));
      const wasSilent = silent.has(serviceKey(candidate.service));
      const progress: Progress = {};
      return slots.run(
        displayNamespace(candidate.service),
        wasSilent,
        () => probe(candidate, signal, progress),
        receives(progress),
      );
    },
  };
}

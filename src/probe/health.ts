import pLimit from 'p-limit';
import type { Candidate, Verdict } from '../model/discovery.ts';
import { oneLine } from '../model/text.ts';
import type { Fetch } from './direct.ts';
import type { Prober } from './prober.ts';

export interface ProbeLimits {
  /** Most probes at a time. */
  readonly concurrency: number;
  /** Longest time for one probe, in milliseconds. */
  readonly timeout: number;
}

function failureText(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ECONNREFUSED':
      return 'connection refused';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'its name does not resolve; outside the cluster use --probe none';
    case 'ECONNRESET':
      return 'the connection was closed without an answer';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'no route to it';
    default:
      return oneLine(message ?? String(error), 160);
  }
}

function verdictOf(status: number, asked: string): Verdict {
  const reason = `${asked} answered ${status}`;
  if (status >= 200 && status < 300) return { health: 'healthy', authRequired: false, reason };
  if (status === 401 || status === 403)
    return { health: 'healthy', authRequired: true, reason: `${reason}: alive, wants credentials` };
  return { health: 'unhealthy', authRequired: false, reason };
}

/** Asks candidates for their health over HTTP, in parallel under a limit, each within a time limit. */
export function healthProber(fetch: Fetch, limits: ProbeLimits): Prober {
  const limit = pLimit(limits.concurrency);
  const ask = async (candidate: Candidate, signal: AbortSignal): Promise<Verdict> => {
    signal.throwIfAborted();
    const { endpoint, healthPath } = candidate;
    if (endpoint.scheme === 'tcp')
      return { health: 'unknown', authRequired: false, reason: 'it does not speak HTTP, and was not asked' };
    const asked = `GET ${healthPath}`;
    const clock = AbortSignal.timeout(limits.timeout);
    try {
      const answer = await fetch(endpoint, healthPath, AbortSignal.any([signal, clock]));
      return verdictOf(answer.status, asked);
    } catch (error) {
      signal.throwIfAborted();
      const what = clock.aborted ? `no answer within ${limits.timeout / 1000} s` : failureText(error);
      return { health: 'unhealthy', authRequired: false, reason: `${asked}: ${what}` };
    }
  };
  return { probe: (candidate, signal) => limit(ask, candidate, signal) };
}

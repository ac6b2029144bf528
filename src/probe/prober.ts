import type { Candidate, Verdict } from '../model/discovery.ts';

/** Asks a candidate whether it is alive. Never throws for what the candidate does; only when the signal is aborted. */
export interface Prober {
  probe(candidate: Candidate, signal: AbortSignal): Promise<Verdict>;
}

/** The route `none`: nothing is asked, and health is unknown. */
export const noProber: Prober = {
  probe: () => Promise.resolve({ health: 'unknown', authRequired: false, reason: 'not probed' }),
};

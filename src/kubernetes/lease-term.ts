import { oneLine } from '../model/text.ts';

/** How long a term lasts, in milliseconds: the values that Kubernetes' own controllers use. */
export const TERM = {
  /** Nobody takes a Lease from its holder sooner than this after a renewal was seen. */
  lease: 15_000,
  /** The holder stops so long after the last renewal that worked was sent. */
  deadline: 10_000,
  /** Longest pause between two looks. */
  retry: 2_000,
};

/** Longest time that the holder of a Lease can ask for; a broken one is not waited for without end. */
const LONGEST = 60_000;

/** The same moment on two clocks of this machine, in milliseconds. Clocks of two machines are never compared. */
export interface Moment {
  /** Goes on evenly while this process is stopped, but not while the machine sleeps. */
  readonly monotonic: number;
  /** Goes on while the machine sleeps, but may be set. */
  readonly wall: number;
}

/** What was seen of a Lease, and when it was first seen so. */
export interface Observation {
  /** Who holds it; empty if nobody does. */
  readonly holder: string;
  readonly transitions: number;
  /** How long it is the holder's without a renewal, in milliseconds. */
  readonly lasts: number;
  /** Tells this state from others. */
  readonly state: string;
  /** On the clock of `Moment.monotonic`. */
  readonly since: number;
}

/**
 * Notes what is in a Lease. Only a change of it tells that its holder lives, whatever times are written in it.
 * @param spec of a Lease, as it came
 */
export function observe(spec: unknown, known: Observation | undefined, now: Moment): Observation {
  const { holderIdentity, leaseDurationSeconds, leaseTransitions } = (spec ?? {}) as Record<string, unknown>;
  const state = JSON.stringify(spec ?? null);
  if (state === known?.state) return known;
  const asked = typeof leaseDurationSeconds === 'number' ? leaseDurationSeconds * 1000 : 0;
  return {
    holder: typeof holderIdentity === 'string' ? holderIdentity : '',
    transitions: typeof leaseTransitions === 'number' ? leaseTransitions : 0,
    lasts: Math.max(TERM.lease, Math.min(asked, LONGEST)),
    state,
    since: now.monotonic,
  };
}

/** Milliseconds until a Lease may be taken; 0: now. */
export function takeableIn({ holder, lasts, since }: Observation, identity: string, now: Moment): number {
  if (holder === '' || holder === identity) return 0;
  return Math.max(0, since + lasts - now.monotonic);
}

/**
 * Milliseconds for which the holder may still write; 0: no more. Of the two clocks the one that went further counts.
 * @param renewed when the last renewal that worked was sent: it counts from then, however late the answer came
 */
export function leadsFor(renewed: Moment, now: Moment): number {
  const gone = Math.max(now.monotonic - renewed.monotonic, now.wall - renewed.wall);
  return Math.max(0, TERM.deadline - gone);
}

/** Who holds a Lease, for a person. */
export const holderName = (holder: string): string => oneLine(holder, 120) || 'nobody';

import { oneLine } from '../model/text.ts';

/** Timing of the election in milliseconds, with the values of Kubernetes' own controllers. */
export const LEASE_TIMING = {
  /** Another replica can acquire the Lease this long after it last observed a renewal. */
  leaseDuration: 15_000,
  /** The leader stops this long after it sent its last successful renewal. */
  renewDeadline: 10_000,
  /** Interval between renewals, and between attempts to acquire the Lease. */
  retryPeriod: 2_000,
};

/** Maximum duration that a Lease can request, so that a malformed Lease does not block the election. */
const MAX_LEASE_DURATION = 60_000;

/** An instant on two clocks of this machine, in milliseconds. Clocks of different machines are never compared. */
export interface Instant {
  /** Continues while this process is suspended, but not while the machine sleeps. */
  readonly monotonic: number;
  /** Continues while the machine sleeps, but can be adjusted. */
  readonly wall: number;
}

/** The state of a Lease, and when it was first observed. */
export interface ObservedLease {
  /** Identity of the holder; empty if there is none. */
  readonly holder: string;
  readonly transitions: number;
  /** Milliseconds after which the Lease expires without a renewal. */
  readonly duration: number;
  /** Fingerprint of the `spec`. */
  readonly state: string;
  /** `Instant.monotonic` of the first observation. */
  readonly since: number;
}

/**
 * Observes a Lease. Only a change proves that its holder is alive; the times inside it do not count.
 * @param spec the unvalidated `spec` of the Lease
 */
export function observe(spec: unknown, known: ObservedLease | undefined, now: Instant): ObservedLease {
  const { holderIdentity, leaseDurationSeconds, leaseTransitions } = (spec ?? {}) as Record<string, unknown>;
  const state = JSON.stringify(spec ?? null);
  if (state === known?.state) return known;
  const asked = typeof leaseDurationSeconds === 'number' ? leaseDurationSeconds * 1000 : 0;
  return {
    holder: typeof holderIdentity === 'string' ? holderIdentity : '',
    transitions: typeof leaseTransitions === 'number' ? leaseTransitions : 0,
    duration: Math.max(LEASE_TIMING.leaseDuration, Math.min(asked, MAX_LEASE_DURATION)),
    state,
    since: now.monotonic,
  };
}

/** Milliseconds until this identity may acquire a Lease; 0 if now. */
export function msUntilExpired(
  { holder, duration, since }: ObservedLease,
  identity: string,
  now: Instant,
): number {
  if (holder === '' || holder === identity) return 0;
  return Math.max(0, since + duration - now.monotonic);
}

/**
 * Milliseconds for which the leader may still write; 0 if it no longer may. The clock that advanced further counts.
 * @param renewed when the last successful renewal was sent, not when its response arrived
 */
export function msUntilRenewDeadline(renewed: Instant, now: Instant): number {
  const gone = Math.max(now.monotonic - renewed.monotonic, now.wall - renewed.wall);
  return Math.max(0, LEASE_TIMING.renewDeadline - gone);
}

/** The holder of a Lease, for messages. */
export const holderName = (holder: string): string => oneLine(holder, 120) || 'nobody';

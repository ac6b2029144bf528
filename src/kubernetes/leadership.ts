import { setTimeout as sleep } from 'node:timers/promises';
import { jittered } from '../model/backoff.ts';
import type { UserError } from '../model/errors.ts';
import type { KubeClient } from './connection.ts';
import { microTime } from './event-object.ts';
import type { Fence } from './fenced-client.ts';
import { leaseFailure } from './lease-failure.ts';
import {
  holderName,
  type Instant,
  LEASE_TIMING,
  msUntilExpired,
  msUntilRenewDeadline,
  type ObservedLease,
  observe,
} from './lease-term.ts';
import { watchLease } from './lease-watch.ts';
import { type Lease, type LeaseName, type LeaseSpec, readLease, writeLease } from './leases.ts';
import { isDenied } from './status.ts';

/** An event of the leader election. */
export type LeadershipEvent =
  | { readonly kind: 'leading' }
  /** Another process leads; emitted once for each leader. */
  | { readonly kind: 'following'; readonly holder: string }
  | { readonly kind: 'lost'; readonly why: string }
  /** The Lease cannot be read or written (`hold`), or not watched (`watch`); emitted once until it succeeds again. */
  | { readonly kind: 'failed'; readonly doing: 'hold' | 'watch'; readonly error: UserError };

/** This process as a candidate in a leader election. */
export interface Leadership extends Fence {
  /**
   * Takes part in the election until the signal is aborted, then releases the Lease, so that another replica need not wait. Abort the
   * signal after the last write. Errors of the cluster are events and are not thrown.
   * @param changed called when `leading` changes
   */
  run(changed: (leading: boolean) => void, signal: AbortSignal): Promise<void>;
}

export interface LeadershipOptions {
  readonly lease: LeaseName;
  /** Unique identity of this process. */
  readonly identity: string;
  readonly emit: (event: LeadershipEvent) => void;
  readonly now?: () => Instant;
}

/** Request timeout in milliseconds. It leaves time for a retry before the deadline. */
const TIMEOUT = 4_000;
/** Delay after a denied request in milliseconds, because permissions rarely change soon. */
const DENIED_RETRY = 10_000;
/** Minimum delay between two attempts, in milliseconds. */
const MIN_WAIT = 50;
/** Timeout of each request that releases the Lease, and of the release as a whole, in milliseconds. */
const RELEASE_TIMEOUT = 1_500;
const WHOLE_RELEASE_TIMEOUT = 3_000;

const NOT_RENEWED = `the Lease could not be renewed for ${LEASE_TIMING.renewDeadline / 1000} s`;

/** A term of leadership, which lasts while its Lease is renewed. */
interface Term {
  readonly lease: Lease;
  readonly acquired: string;
  /** When the last successful renewal was sent. */
  readonly renewed: Instant;
}

class LeaseElection implements Leadership {
  readonly #kube: KubeClient;
  readonly #options: LeadershipOptions;
  readonly #now: () => Instant;
  #changed: (leading: boolean) => void = () => {};
  #term: Term | undefined;
  #termEnd = new AbortController();
  /** `acquireTime` of the last Lease that this process wrote or tried to write: a response can be lost. */
  #acquired: string | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #observed: ObservedLease;
  #reportedLeader: string | undefined;
  readonly #reportedFailures = { hold: '', watch: '' };
  #wake = new AbortController();

  constructor(kube: KubeClient, options: LeadershipOptions) {
    this.#kube = kube;
    this.#options = options;
    this.#now = options.now ?? (() => ({ monotonic: performance.now(), wall: Date.now() }));
    this.#observed = observe(undefined, undefined, this.#now());
    this.#termEnd.abort();
  }

  get leading(): boolean {
    return this.#term !== undefined && msUntilRenewDeadline(this.#term.renewed, this.#now()) > 0;
  }

  get term(): AbortSignal {
    return this.#termEnd.signal;
  }

  async run(changed: (leading: boolean) => void, signal: AbortSignal): Promise<void> {
    this.#changed = changed;
    const watching = this.#watch(signal);
    while (!signal.aborted) {
      const pause = await this.#step(signal);
      const either = AbortSignal.any([signal, this.#wake.signal]);
      await sleep(pause, undefined, { signal: either }).catch(() => {});
      this.#wake = new AbortController();
    }
    await Promise.all([this.#release(), watching]);
  }

  /** One attempt to renew or acquire the Lease. @returns the delay before the next one, in milliseconds */
  async #step(signal: AbortSignal): Promise<number> {
    const retryDelay = jittered(LEASE_TIMING.retryPeriod, 0.2, Math.random);
    if (this.#term !== undefined && !this.leading) this.#lose(NOT_RENEWED);
    const held = this.#term;
    try {
      if (held !== undefined) await this.#renew(held, signal);
      else await this.#tryAcquire(signal);
      this.#reportedFailures.hold = '';
    } catch (error) {
      if (signal.aborted) return 0;
      // If leadership ended during the renewal, the aborted request is not a failure.
      if (this.#term === held) this.#reportFailure('hold', error);
      if (this.#term === undefined && isDenied(error)) return jittered(DENIED_RETRY, 0.25, Math.random);
      return retryDelay;
    }
    if (this.#term !== undefined) return retryDelay;
    // Retry as soon as the Lease expires.
    const untilExpired = msUntilExpired(this.#observed, this.#options.identity, this.#now());
    return Math.max(MIN_WAIT, Math.min(retryDelay, untilExpired));
  }

  async #renew(held: Term, signal: AbortSignal): Promise<void> {
    const { lease: name, identity } = this.#options;
    const sent = this.#now();
    const either = AbortSignal.any([signal, this.#termEnd.signal]);
    const lease = await writeLease(
      this.#kube,
      name,
      held.lease,
      this.#spec(held.acquired, observe(held.lease.spec, undefined, sent).transitions),
      TIMEOUT,
      either,
    );
    // Leadership ended in the meantime.
    if (this.#term !== held) return;
    if (lease !== undefined) {
      this.#setTerm({ ...held, lease, renewed: sent });
      return;
    }
    const now = await readLease(this.#kube, name, TIMEOUT, either);
    if (this.#term !== held) return;
    const { holder } = observe(now?.spec, undefined, sent);
    if (now === undefined) this.#lose('the Lease was deleted');
    else if (holder !== identity) this.#lose(`${holderName(holder)} took the Lease`);
    // Somebody changed another field. Leadership continues until the same deadline.
    else {
      this.#term = { ...held, lease: now };
      this.#wake.abort();
    }
  }

  async #tryAcquire(signal: AbortSignal): Promise<void> {
    const { lease: name, identity, emit } = this.#options;
    const before = await readLease(this.#kube, name, TIMEOUT, signal);
    const seen = observe(before?.spec, this.#observed, this.#now());
    this.#observed = seen;
    if (msUntilExpired(seen, identity, this.#now()) > 0) {
      if (seen.holder !== this.#reportedLeader) emit({ kind: 'following', holder: holderName(seen.holder) });
      this.#reportedLeader = seen.holder;
      return;
    }
    const sent = this.#now();
    const acquired = microTime(new Date(sent.wall));
    const transitions = before === undefined ? 0 : seen.transitions + 1;
    const spec = this.#spec(acquired, transitions);
    this.#acquired = acquired;
    // The server may complete an aborted request after the release, so the write runs to its end.
    const lease = await writeLease(this.#kube, name, before, spec, TIMEOUT, new AbortController().signal);
    if (lease === undefined || signal.aborted || msUntilRenewDeadline(sent, this.#now()) === 0) return;
    this.#termEnd = new AbortController();
    this.#setTerm({ lease, acquired, renewed: sent });
    this.#reportedLeader = undefined;
    emit({ kind: 'leading' });
    this.#changed(true);
  }

  #spec(acquired: string, transitions: number): LeaseSpec {
    return {
      holderIdentity: this.#options.identity,
      leaseDurationSeconds: LEASE_TIMING.leaseDuration / 1000,
      acquireTime: acquired,
      renewTime: microTime(new Date(this.#now().wall)),
      leaseTransitions: transitions,
    };
  }

  #setTerm(term: Term): void {
    this.#term = term;
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(
      () => this.#lose(NOT_RENEWED),
      msUntilRenewDeadline(term.renewed, this.#now()),
    );
  }

  #lose(why: string): void {
    clearTimeout(this.#deadline);
    this.#term = undefined;
    this.#termEnd.abort(new Error(why));
    this.#wake.abort();
    this.#options.emit({ kind: 'lost', why });
    this.#changed(false);
  }

  /** Releases the Lease, if this process holds it or may hold it. */
  async #release(): Promise<void> {
    const acquired = this.#acquired;
    clearTimeout(this.#deadline);
    this.#term = undefined;
    this.#termEnd.abort();
    if (acquired === undefined) return;
    const signal = AbortSignal.timeout(WHOLE_RELEASE_TIMEOUT);
    try {
      // A renewal that was in flight can change the Lease once.
      if (!(await this.#tryRelease(acquired, signal))) await this.#tryRelease(acquired, signal);
    } catch (error) {
      this.#reportFailure('hold', error);
    }
  }

  /** @returns false if the Lease changed between the two requests */
  async #tryRelease(acquired: string, signal: AbortSignal): Promise<boolean> {
    const { lease: name, identity } = this.#options;
    const lease = await readLease(this.#kube, name, RELEASE_TIMEOUT, signal);
    const { holder, transitions } = observe(lease?.spec, undefined, this.#now());
    if (holder !== identity) return true;
    const spec = { ...this.#spec(acquired, transitions), holderIdentity: '', leaseDurationSeconds: 1 };
    return (await writeLease(this.#kube, name, lease, spec, RELEASE_TIMEOUT, signal)) !== undefined;
  }

  /** Observes renewals immediately, so that a dead leader is replaced as soon as its Lease expires. */
  #watch(signal: AbortSignal): Promise<void> {
    return watchLease(
      this.#kube,
      this.#options.lease,
      {
        changed: (spec) => {
          if (this.#term !== undefined) return;
          this.#observed = observe(spec, this.#observed, this.#now());
          if (this.#observed.holder === '') this.#wake.abort();
        },
        failed: (error) => this.#reportFailure('watch', error),
        recovered: () => {
          this.#reportedFailures.watch = '';
        },
      },
      signal,
    );
  }

  #reportFailure(doing: 'hold' | 'watch', error: unknown): void {
    const explained = leaseFailure(doing, this.#options.lease, error, this.#kube.server);
    if (this.#reportedFailures[doing] === explained.message) return;
    this.#reportedFailures[doing] = explained.message;
    this.#options.emit({ kind: 'failed', doing, error: explained });
  }
}

/**
 * A leader election with a `coordination.k8s.io/v1` Lease, like client-go's. Each renewal names the resourceVersion that was read, so
 * only one process can renew the Lease. The leader stops, by its own clock, well before another process can acquire the Lease, even
 * if it was suspended or disconnected.
 * @see https://pkg.go.dev/k8s.io/client-go/tools/leaderelection
 */
export const leadership = (kube: KubeClient, options: LeadershipOptions): Leadership =>
  new LeaseElection(kube, options);

import { setTimeout as sleep } from 'node:timers/promises';
import { jittered } from '../model/backoff.ts';
import type { UserError } from '../model/errors.ts';
import type { Kube } from './connection.ts';
import { microTime } from './event-object.ts';
import type { Lead } from './leading-kube.ts';
import { leaseFailure } from './lease-failure.ts';
import {
  holderName,
  leadsFor,
  type Moment,
  type Observation,
  observe,
  TERM,
  takeableIn,
} from './lease-term.ts';
import { watchLease } from './lease-watch.ts';
import { type Lease, type LeaseName, type LeaseSpec, readLease, writeLease } from './leases.ts';
import { isDenied } from './status.ts';

/** What a process that takes part in an election hears of it. */
export type LeadershipEvent =
  | { readonly kind: 'leading' }
  /** Somebody else leads; told once for each. */
  | { readonly kind: 'following'; readonly holder: string }
  | { readonly kind: 'lost'; readonly why: string }
  /** The Lease cannot be read or written, or (`watch`) only with each look; told once while it lasts. */
  | { readonly kind: 'failed'; readonly doing: 'hold' | 'watch'; readonly error: UserError };

/** The part of this process in an election by Lease. */
export interface Leadership extends Lead {
  /**
   * Takes part until the signal is aborted, and then gives the Lease up, so that another one need not wait. Abort it
   * when all that was to be written is written. Does not throw for what the cluster does.
   * @param changed told at each change of `leading`
   */
  run(changed: (leading: boolean) => void, signal: AbortSignal): Promise<void>;
}

export interface LeadershipOptions {
  readonly lease: LeaseName;
  /** Who this process is; no other process may have the same. */
  readonly identity: string;
  readonly tell: (event: LeadershipEvent) => void;
  readonly now?: () => Moment;
}

/** Longest time for one request, in milliseconds: one that hangs must leave time for another before the deadline. */
const TIMEOUT = 4_000;
/** Pause after a refusal for lack of rights, in milliseconds: nothing will change that soon. */
const DENIED = 10_000;
/** Shortest pause between two looks, in milliseconds. */
const SHORTEST = 50;
/** Longest time for each of the two requests that give the Lease up, in milliseconds. */
const RELEASE = 1_500;

const LATE = `the Lease could not be renewed for ${TERM.deadline / 1000} s`;

/** A term, as long as its Lease is renewed. */
interface Term {
  readonly lease: Lease;
  readonly acquired: string;
  /** When the last renewal that worked was sent. */
  readonly renewed: Moment;
}

class LeaseElection implements Leadership {
  readonly #kube: Kube;
  readonly #options: LeadershipOptions;
  readonly #now: () => Moment;
  #changed: (leading: boolean) => void = () => {};
  #held: Term | undefined;
  #end = new AbortController();
  #deadline: NodeJS.Timeout | undefined;
  #seen: Observation | undefined;
  #following: string | undefined;
  readonly #failing = { hold: '', watch: '' };
  #wake = new AbortController();

  constructor(kube: Kube, options: LeadershipOptions) {
    this.#kube = kube;
    this.#options = options;
    this.#now = options.now ?? (() => ({ monotonic: performance.now(), wall: Date.now() }));
    this.#end.abort();
  }

  get leading(): boolean {
    return this.#held !== undefined && leadsFor(this.#held.renewed, this.#now()) > 0;
  }

  get term(): AbortSignal {
    return this.#end.signal;
  }

  async run(changed: (leading: boolean) => void, signal: AbortSignal): Promise<void> {
    this.#changed = changed;
    const watching = this.#watch(signal);
    while (!signal.aborted) {
      const pause = await this.#step(signal);
      const either = AbortSignal.any([signal, this.#wake.signal]);
      await sleep(pause, undefined, { signal: either }).catch(() => {});
      if (this.#wake.signal.aborted) this.#wake = new AbortController();
    }
    await Promise.all([this.#release(), watching]);
  }

  /** One look at the Lease. @returns the pause before the next one, in milliseconds */
  async #step(signal: AbortSignal): Promise<number> {
    const retry = jittered(TERM.retry, 0.2, Math.random);
    if (this.#held !== undefined && !this.leading) this.#lose(LATE);
    const held = this.#held;
    try {
      if (held !== undefined) await this.#renew(held, signal);
      else await this.#take(signal);
      this.#failing.hold = '';
    } catch (error) {
      if (signal.aborted) return 0;
      // A renewal that was on its way when the lead was lost is given up: that is no failure.
      if (this.#held === held) this.#failed('hold', error);
      if (this.#held === undefined && isDenied(error)) return jittered(DENIED, 0.25, Math.random);
      return retry;
    }
    if (this.#held !== undefined || this.#seen === undefined) return retry;
    // Right when it may be taken, and not at the next look after that.
    const takeable = takeableIn(this.#seen, this.#options.identity, this.#now());
    return Math.max(SHORTEST, Math.min(retry, takeable));
  }

  async #renew(held: Term, signal: AbortSignal): Promise<void> {
    const { lease: name, identity } = this.#options;
    const sent = this.#now();
    const either = AbortSignal.any([signal, this.#end.signal]);
    const lease = await writeLease(
      this.#kube,
      name,
      held.lease,
      this.#spec(held.acquired, observe(held.lease.spec, undefined, sent).transitions),
      TIMEOUT,
      either,
    );
    // It was lost in the meantime.
    if (this.#held !== held) return;
    if (lease !== undefined) {
      this.#hold({ ...held, lease, renewed: sent });
      return;
    }
    const now = await readLease(this.#kube, name, TIMEOUT, either);
    if (this.#held !== held) return;
    const { holder } = observe(now?.spec, undefined, sent);
    if (now === undefined) this.#lose('the Lease was deleted');
    else if (holder !== identity) this.#lose(`${holderName(holder)} took the Lease`);
    // Somebody changed something else of it: the lead goes on from there, until the same deadline.
    else {
      this.#held = { ...held, lease: now };
      this.#wake.abort();
    }
  }

  async #take(signal: AbortSignal): Promise<void> {
    const { lease: name, identity, tell } = this.#options;
    const before = await readLease(this.#kube, name, TIMEOUT, signal);
    const seen = observe(before?.spec, this.#seen, this.#now());
    this.#seen = seen;
    if (before !== undefined && takeableIn(seen, identity, this.#now()) > 0) {
      if (seen.holder !== this.#following) tell({ kind: 'following', holder: holderName(seen.holder) });
      this.#following = seen.holder;
      return;
    }
    const sent = this.#now();
    const acquired = microTime(new Date(sent.wall));
    const transitions = before === undefined ? 0 : seen.transitions + 1;
    const spec = this.#spec(acquired, transitions);
    const lease = await writeLease(this.#kube, name, before, spec, TIMEOUT, signal);
    if (lease === undefined || signal.aborted || leadsFor(sent, this.#now()) === 0) return;
    this.#end = new AbortController();
    this.#hold({ lease, acquired, renewed: sent });
    this.#following = undefined;
    tell({ kind: 'leading' });
    this.#changed(true);
  }

  #spec(acquired: string, transitions: number): LeaseSpec {
    return {
      holderIdentity: this.#options.identity,
      leaseDurationSeconds: TERM.lease / 1000,
      acquireTime: acquired,
      renewTime: microTime(new Date(this.#now().wall)),
      leaseTransitions: transitions,
    };
  }

  #hold(term: Term): void {
    this.#held = term;
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#lose(LATE), leadsFor(term.renewed, this.#now()));
  }

  #lose(why: string): void {
    clearTimeout(this.#deadline);
    this.#held = undefined;
    this.#end.abort(new Error(why));
    this.#wake.abort();
    this.#options.tell({ kind: 'lost', why });
    this.#changed(false);
  }

  /** Gives the Lease up, if it is held. */
  async #release(): Promise<void> {
    const held = this.#held;
    clearTimeout(this.#deadline);
    this.#held = undefined;
    this.#end.abort();
    if (held === undefined) return;
    const { lease: name, identity } = this.#options;
    const signal = AbortSignal.timeout(2 * RELEASE);
    try {
      // The last renewal may have been on its way, so what is there is not known.
      const lease = await readLease(this.#kube, name, RELEASE, signal);
      const { holder, transitions } = observe(lease?.spec, undefined, this.#now());
      if (lease === undefined || holder !== identity) return;
      const spec = { ...this.#spec(held.acquired, transitions), holderIdentity: '', leaseDurationSeconds: 1 };
      await writeLease(this.#kube, name, lease, spec, RELEASE, signal);
    } catch (error) {
      this.#failed('hold', error);
    }
  }

  /** Sees renewals as they come, so that a dead leader is not waited for longer than it must be. */
  #watch(signal: AbortSignal): Promise<void> {
    return watchLease(
      this.#kube,
      this.#options.lease,
      {
        changed: (spec) => {
          if (this.#held !== undefined) return;
          this.#seen = observe(spec, this.#seen, this.#now());
          if (this.#seen.holder === '') this.#wake.abort();
        },
        failed: (error) => this.#failed('watch', error),
        recovered: () => {
          this.#failing.watch = '';
        },
      },
      signal,
    );
  }

  #failed(doing: 'hold' | 'watch', error: unknown): void {
    const explained = leaseFailure(doing, this.#options.lease, error, this.#kube.server);
    if (this.#failing[doing] === explained.message) return;
    this.#failing[doing] = explained.message;
    this.#options.tell({ kind: 'failed', doing, error: explained });
  }
}

/**
 * An election by a `coordination.k8s.io/v1` Lease, as client-go holds it: only one process at a time can renew it, since
 * each renewal is made in the state that was read before. The holder stops well before another one may begin, by its own
 * clock, so also when it was stopped or cut off in between.
 * @see https://pkg.go.dev/k8s.io/client-go/tools/leaderelection
 */
export const leadership = (kube: Kube, options: LeadershipOptions): Leadership =>
  new LeaseElection(kube, options);

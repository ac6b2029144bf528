import type { BenchCluster } from '../cluster.ts';

/** What an attack works with: the running `serve`, and the cluster that it watches. */
export interface Stage {
  readonly cluster: BenchCluster;
  /** Port of the API on 127.0.0.1. */
  readonly port: number;
  /** The port of the kubelet's health probes. */
  readonly healthPort: number;
  /** A token of a ServiceAccount without permissions, as every Pod has one. */
  readonly token: string;
  /** Namespace that `serve` publishes into. */
  readonly published: string;
}

/** One way to hurt `serve` from outside, as in a cluster with a hostile tenant. */
export interface Attack {
  readonly name: string;
  readonly about: string;
  /** Services of the attacker, created when the attack starts. `server` names the hostile server behind each. */
  readonly services?: readonly HostileService[];
  /** Attacks until the signal is aborted. Failed requests are part of it and are no error. */
  run(stage: Stage, signal: AbortSignal): Promise<void>;
}

/** A Service of a hostile tenant. */
export interface HostileService {
  readonly namespace: string;
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly selector?: Readonly<Record<string, string>>;
  readonly headless?: boolean;
  /** Whether its server speaks TLS. */
  readonly secure?: boolean;
  /** Number of ports in addition to `PORT`. */
  readonly ports?: number;
  /** The hostile server behind it, by its name in `servers-process.ts`. Without one, nothing answers. */
  readonly server?: string;
}

/** The port of every hostile Service. */
export const PORT = 8000;

/** The attacker's namespace. */
export const EVIL = 'evil';

/** Repeats an action, one call after another with a pause in between, until the signal is aborted. */
export async function repeat(
  action: (round: number) => Promise<unknown>,
  pauseMs: number,
  signal: AbortSignal,
): Promise<void> {
  for (let round = 0; !signal.aborted; round++) {
    await action(round).catch(() => {});
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, pauseMs);
    signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    clearTimeout(timer);
  }
}

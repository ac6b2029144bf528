import type { BenchCluster } from '../cluster.ts';

/** What an attack works with: the running `serve`, and the cluster that it watches. */
export interface Stage {
  readonly cluster: BenchCluster;
  /** Port of the API on 127.0.0.1. */
  readonly port: number;
  /** The port on which a kubelet asks for health. */
  readonly healthPort: number;
  /** A token of a ServiceAccount without any rights: what every Pod of the cluster has. */
  readonly token: string;
  /** Namespace that `serve` publishes into. */
  readonly published: string;
}

/** One way to hurt `serve` from outside, as in a cluster with a hostile tenant. */
export interface Attack {
  readonly name: string;
  readonly about: string;
  /** Services of the attacker, created before `serve` starts. `server` names the hostile server behind each. */
  readonly services?: readonly HostileService[];
  /** Attacks until the signal is aborted. Failed requests are part of it and are no error. */
  run(stage: Stage, signal: AbortSignal): Promise<void>;
}

/** A Service of a tenant who means harm. */
export interface HostileService {
  readonly namespace: string;
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly selector?: Readonly<Record<string, string>>;
  readonly headless?: boolean;
  /** How many ports it has beside the one of every hostile Service. */
  readonly ports?: number;
  /** The hostile server that it leads to, by its name in `servers-process.ts`; nothing answers without. */
  readonly server?: string;
}

/** Every hostile Service serves on this port. */
export const PORT = 8000;

/** The namespace of the tenant who attacks. */
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

import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { KubeClient } from '../kubernetes/connection.ts';
import type { Leadership, LeadershipEvent } from '../kubernetes/leadership.ts';
import { ConfigError } from '../model/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Configuration } from './configuration.ts';
import type { Env } from './host.ts';

/** Leadership of this process. Without an election, the process always leads. */
export interface LeaderHandle {
  readonly mayPublish: () => boolean;
  /** The connection for all writes. It rejects them while this process does not lead. */
  readonly kube: KubeClient | undefined;
  /**
   * Joins the election, if there is one. A second call does nothing.
   * @param onStarted called when this process becomes the leader
   */
  start(onStarted: () => void): void;
  /** Leaves the election and releases the lease. Call it after pending writes. */
  resign(): Promise<void>;
}

/** Whether two configurations use the same election. */
export function sameElection(a: Configuration, b: Configuration): boolean {
  if (!a.leaderElection && !b.leaderElection) return true;
  return (['leaderElection', 'leaseName', 'configMapNamespace'] as const).every(
    (name) => a[name] === b[name],
  );
}

/** Logs an event of the leader election. */
export function logEvent(log: Logger, event: LeadershipEvent): void {
  const component = 'leader_election';
  switch (event.kind) {
    case 'leading':
      log.info({ component }, 'became leader');
      return;
    case 'following':
      log.info({ component, holder: event.holder }, `following leader ${event.holder}`);
      return;
    case 'lost':
      log.warn(
        { component },
        `lost leadership: ${event.why}; this replica writes nothing until it is the leader again`,
      );
      return;
    case 'failed':
      if (event.doing === 'hold') log.error({ component }, event.error.message);
      else
        log.warn(
          { component },
          `cannot watch the Lease, so this replica notices some seconds later that the leader is gone: ${event.error.message}`,
        );
  }
}

/**
 * Creates the leader election that the settings configure.
 * @param kube the cluster of the published ConfigMap; `undefined` if the target is a file
 * @throws UserError if an election is impossible, as with `--out` and `--once`
 */
export async function joinElection(
  settings: Configuration,
  once: boolean,
  env: Env,
  kube: KubeClient | undefined,
  log: Logger,
): Promise<LeaderHandle> {
  if (!settings.leaderElection)
    return { mayPublish: () => true, kube, start: () => {}, resign: async () => {} };
  if (kube === undefined || once)
    throw new ConfigError(
      `there is no leader election with ${kube === undefined ? '--out' : '--once'}; remove it, or remove --leader-elect and LEADER_ELECTION`,
    );
  const { leadership } = await import('../kubernetes/leadership.ts');
  const { fencedClient } = await import('../kubernetes/fenced-client.ts');
  const election: Leadership = leadership(kube, {
    lease: { namespace: settings.configMapNamespace, name: settings.leaseName },
    // A restarted container has the same Pod name, but must not continue the lease of its predecessor.
    identity: `${env.POD_NAME ?? hostname()}_${randomUUID()}`,
    emit: (event) => logEvent(log, event),
  });
  const stop = new AbortController();
  let ended: Promise<void> | undefined;
  return {
    mayPublish: () => election.leading,
    kube: fencedClient(kube, election),
    start(onStarted) {
      ended ??= election.run((leading) => leading && onStarted(), stop.signal);
    },
    async resign() {
      stop.abort();
      await ended;
    },
  };
}

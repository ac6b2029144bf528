import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { KubeClient } from '../kubernetes/connection.ts';
import type { Leadership, LeadershipEvent } from '../kubernetes/leadership.ts';
import { ConfigError } from '../model/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Configuration } from './configuration.ts';
import type { Env } from './host.ts';

/** Who may write: this process alone, or the leader of several. */
export interface Leader {
  readonly mayPublish: () => boolean;
  /** The connection for all that is written. */
  readonly kube: KubeClient | undefined;
  /**
   * Takes part in the election, if there is one; a second call does nothing.
   * @param began told when this process becomes the leader
   */
  start(began: () => void): void;
  /** Ends its part, and the term with it; to be called when all is written. */
  resign(): Promise<void>;
}

/** Do two configurations mean the same election? */
export function sameElection(a: Configuration, b: Configuration): boolean {
  if (!a.leaderElection && !b.leaderElection) return true;
  return (['leaderElection', 'leaseName', 'configMapNamespace'] as const).every(
    (name) => a[name] === b[name],
  );
}

function logEvent(log: Logger, event: LeadershipEvent): void {
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
 * The leader election that the settings ask for.
 * @param kube the connection to the cluster that is published to; nothing for a file
 * @throws UserError where there can be none
 */
export async function leaderOf(
  settings: Configuration,
  once: boolean,
  env: Env,
  kube: KubeClient | undefined,
  log: Logger,
): Promise<Leader> {
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
    // A Pod whose container starts anew has the same name: what the one before did is not known.
    identity: `${env.POD_NAME ?? hostname()}_${randomUUID()}`,
    emit: (event) => logEvent(log, event),
  });
  const stop = new AbortController();
  let ended: Promise<void> | undefined;
  return {
    mayPublish: () => election.leading,
    kube: fencedClient(kube, election),
    start(began) {
      ended ??= election.run((leading) => leading && began(), stop.signal);
    },
    async resign() {
      stop.abort();
      await ended;
    },
  };
}

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../telemetry/logger.ts';
import type { Configuration } from './configuration.ts';
import type { Servers } from './servers.ts';

/**
 * Waits for the signal, and then ends the servers in order: they say that they are not ready, so that no more requests are
 * sent here, and are closed some time later, when that has got around and all is answered.
 */
export async function shutDown(
  signal: AbortSignal,
  servers: Servers,
  settings: () => Configuration,
  log: Logger,
): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
  if (!servers.any) return;
  const { shutdownDelay, shutdownTimeout } = settings();
  log.info({ component: 'shutdown', delay: shutdownDelay / 1000 }, 'stopping: no longer ready');
  const late = sleep(shutdownTimeout, 'late', { ref: false });
  const drained = sleep(shutdownDelay).then(() => servers.close());
  if ((await Promise.race([drained, late])) === 'late') {
    log.warn({ component: 'shutdown' }, 'not all requests finished in time; closing their connections');
    servers.closeAllConnections();
  }
}

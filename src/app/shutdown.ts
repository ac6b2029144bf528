import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../telemetry/logger.ts';
import type { Configuration } from './configuration.ts';
import type { Servers } from './servers.ts';

/**
 * Waits for the signal, then shuts the servers down gracefully: they report not ready, and close after endpoints have
 * propagated and requests in flight are complete.
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

import { ClusterError, type UserError } from '../model/errors.ts';
import type { KubeClient } from './connection.ts';

/** Whether this process may write. */
export interface Fence {
  /** Checks the clock each time. */
  readonly leading: boolean;
  /** Aborted when leadership ends. */
  readonly term: AbortSignal;
}

/**
 * A client that writes only while this process is the leader. It rejects writes without leadership, and aborts writes in flight when
 * leadership ends. Reads are not restricted.
 * @throws as `KubeClient`; ClusterError if a write was rejected, or aborted and perhaps not applied
 */
export function fencedClient(kube: KubeClient, fence: Fence): KubeClient {
  const refused = (cause?: unknown): UserError =>
    new ClusterError('another process may be the leader, so nothing is written', { cause });
  return {
    ...kube,
    async request(request, signal) {
      if ((request.method ?? 'GET') === 'GET') return kube.request(request, signal);
      if (!fence.leading) throw refused();
      const { term } = fence;
      try {
        return await kube.request(request, AbortSignal.any([signal, term]));
      } catch (error) {
        throw term.aborted && !signal.aborted ? refused(error) : error;
      }
    },
  };
}

import { ClusterError, type UserError } from '../model/errors.ts';
import type { Kube } from './connection.ts';

/** Whether this process may write. */
export interface Lead {
  /** Looked up on the clock each time. */
  readonly leading: boolean;
  /** Aborted as soon as it may not any more. */
  readonly term: AbortSignal;
}

/**
 * A connection that writes only while this process leads: each request that changes something is refused without a
 * lead, and given up when the lead is lost on its way. What is read is not limited.
 * @throws as `Kube`; UserError for what is not written, or perhaps not, because another process may be the leader
 */
export function leadingKube(kube: Kube, lead: Lead): Kube {
  const refused = (cause?: unknown): UserError =>
    new ClusterError('another process may be the leader, so nothing is written', { cause });
  return {
    ...kube,
    async request(request, signal) {
      if ((request.method ?? 'GET') === 'GET') return kube.request(request, signal);
      if (!lead.leading) throw refused();
      const { term } = lead;
      try {
        return await kube.request(request, AbortSignal.any([signal, term]));
      } catch (error) {
        throw term.aborted && !signal.aborted ? refused(error) : error;
      }
    },
  };
}

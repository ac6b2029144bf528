import type { Problem } from '../model/discovery.ts';
import type { Cut, Documents } from '../model/documents.ts';
import type { Publisher } from '../publishers/publisher.ts';
import { Refusals } from './refusals.ts';
import type { Target } from './target.ts';

/** What a command would publish. */
export interface Proposal {
  /** The documents to write; none if nothing is to be written. */
  readonly documents: Documents;
  readonly cuts: readonly Cut[];
}

/**
 * Divides documents among no more ConfigMaps than `serve` could write, as far as reads show. For commands, which write none.
 * @param propose generates the documents, with as many ConfigMaps as its options allow
 * @returns the last proposal, and notes on ConfigMaps that cannot be used, or of which that is unknown
 */
export async function withinUsableShards<T extends Proposal>(
  publisher: Publisher,
  generation: Target['generation'],
  propose: (generation: Target['generation']) => T,
  signal: AbortSignal,
): Promise<{ readonly proposal: T; readonly notes: readonly Problem[] }> {
  const refusals = new Refusals({ publisher, generation, owner: async () => undefined });
  const where = publisher.target;
  for (;;) {
    const proposal = propose(refusals.generation);
    const { refused, unread = [] } = (await publisher.checkShards?.(proposal.documents, signal)) ?? {};
    if (refused !== undefined) {
      if (refusals.take(refused)) continue;
      return { proposal, notes: [{ where, what: `serve cannot publish this: ${refused.message}` }] };
    }
    const note = refusals.shardsNote(proposal.cuts);
    const unknown = unread.map((shard) => ({
      where: shard,
      what: 'may not be read, so whether serve can use it is unknown here',
      fix: 'run this with the permission to get that ConfigMap',
    }));
    return { proposal, notes: [...(note === undefined ? [] : [note]), ...unknown] };
  }
}

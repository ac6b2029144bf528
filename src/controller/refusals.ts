import type { Problem } from '../model/discovery.ts';
import type { Cut } from '../model/documents.ts';
import { OwnerRefused, ShardsRefused } from '../publishers/publisher.ts';
import type { Target } from './target.ts';

/** What a publisher refused, so that a reconciler goes on with less: the owner reference, or more ConfigMaps. */
export class Refusals {
  readonly #target: Pick<Target, 'publisher' | 'generation' | 'owner'>;
  /** Why the owner reference was refused, if it was. */
  #owner: string | undefined;
  /** Why documents cannot be divided among MAX_SHARDS ConfigMaps, if they cannot. */
  #shards: ShardsRefused | undefined;
  #within: { readonly from: Target['generation']; readonly generation: Target['generation'] } | undefined;
  /** The options for generating, with no more ConfigMaps than may be written. The object changes only when the options do. */
  generation: Target['generation'];

  constructor(target: Pick<Target, 'publisher' | 'generation' | 'owner'>) {
    this.#target = target;
    this.generation = target.generation;
  }

  /** The same, with the bytes that an agent has for documents. */
  generationWithin(maxAgentBytes: number | undefined): Target['generation'] {
    if (maxAgentBytes === undefined) return this.generation;
    const known = this.#within;
    if (known?.from === this.generation && known.generation.maxAgentBytes === maxAgentBytes)
      return known.generation;
    const generation = { ...this.generation, maxAgentBytes };
    this.#within = { from: this.generation, generation };
    return generation;
  }

  /** Records a refusal. @returns whether to retry with less */
  take(error: unknown): boolean {
    if (error instanceof OwnerRefused && this.#owner === undefined) {
      this.#owner = error.message;
      return true;
    }
    if (error instanceof ShardsRefused && error.most < (this.generation.maxShards ?? 1)) {
      this.#shards = error;
      this.generation = { ...this.generation, maxShards: error.most };
      return true;
    }
    return false;
  }

  /** Uses refused ConfigMaps again once they can be written. */
  async recheckShards(signal: AbortSignal): Promise<void> {
    const { publisher, generation } = this.#target;
    if (this.#shards === undefined) return;
    if ((await publisher.isUsable?.(this.#shards, signal)) !== true) return;
    this.#shards = undefined;
    this.generation = generation;
  }

  /** The owner reference to publish with; none after a refusal, with a note. */
  async owner(note: (problem: Problem) => void, signal: AbortSignal): ReturnType<Target['owner']> {
    if (this.#owner === undefined) return this.#target.owner(signal);
    note({ where: this.#target.publisher.target, what: this.#owner });
    return undefined;
  }

  /** Why tools are left out although MAX_SHARDS would allow more ConfigMaps. `undefined` if none are for that reason. */
  shardsNote(cuts: readonly Cut[]): Problem | undefined {
    const refused = this.#shards;
    if (refused === undefined || !cuts.some(({ limit }) => limit === 'document_bytes')) return undefined;
    const room =
      refused.most === 1 ? 'all the room that there is for tools' : `room in ${refused.most} ConfigMaps only`;
    const { target } = this.#target.publisher;
    return { where: target, what: `has ${room}, and what does not fit is left out: ${refused.message}` };
  }
}

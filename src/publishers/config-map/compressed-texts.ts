import { deserialize, serialize } from 'node:v8';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Content } from '../../model/revision.ts';

type Texts = Pick<Content, 'documents' | 'overrides'>;

/**
 * The texts of a revision in memory. They are compressed, because ten revisions of a large toolset take as much memory as
 * thousands of Services, and are needed only for a rollback or a repair.
 */
export class CompressedTexts {
  readonly #bytes: Uint8Array;
  /** Lets the garbage collector remove what was decompressed. */
  #last: WeakRef<Texts> | undefined;

  constructor({ documents, overrides }: Texts) {
    // Speed counts more than size: documents become about ten times smaller anyway.
    this.#bytes = deflateRawSync(serialize({ documents, overrides }), { level: constants.Z_BEST_SPEED });
  }

  /** The texts, decompressed when they are first needed. */
  get texts(): Texts {
    const last = this.#last?.deref();
    if (last !== undefined) return last;
    const texts = deserialize(inflateRawSync(this.#bytes)) as Texts;
    this.#last = new WeakRef(texts);
    return texts;
  }
}

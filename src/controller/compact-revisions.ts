import { deserialize, serialize } from 'node:v8';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Documents, Toolset } from '../model/documents.ts';
import type { Revision } from '../model/revision.ts';
import { yieldEvery } from '../model/yield-every.ts';
import type { Reader, ReadRevision } from '../planning/observed.ts';
import { identityOf } from '../planning/revisions.ts';

/** Maximum time to compress without yielding to the event loop, in milliseconds. */
const MAX_SLICE_MS = 20;

type Texts = Pick<Revision, 'documents' | 'overrides'>;

/** Speed counts more than size: documents become about ten times smaller anyway. */
const compress = (texts: Texts): Uint8Array =>
  deflateRawSync(serialize(texts), { level: constants.Z_BEST_SPEED });

/** The texts of a revision, and the tools in its documents. */
class Content implements Texts {
  readonly documents: Documents;
  readonly overrides: string | undefined;
  readonly #reader: Reader;
  #toolset: Toolset | undefined;

  constructor(bytes: Uint8Array, reader: Reader) {
    const { documents, overrides } = deserialize(inflateRawSync(bytes)) as Texts;
    this.documents = documents;
    this.overrides = overrides;
    this.#reader = reader;
  }

  get toolset(): Toolset {
    this.#toolset ??= this.#reader.read(this.documents);
    return this.#toolset;
  }
}

/** A revision whose content is decompressed when it is read. The garbage collector may remove it again. */
function lazily(revision: Revision, bytes: Uint8Array, reader: Reader): ReadRevision {
  let last: WeakRef<Content> | undefined;
  const content = (): Content => {
    const known = last?.deref();
    if (known !== undefined) return known;
    const found = new Content(bytes, reader);
    last = new WeakRef(found);
    return found;
  };
  const { documents: _, overrides: __, ...rest } = revision;
  return {
    ...rest,
    get documents() {
      return content().documents;
    },
    get overrides() {
      return content().overrides;
    },
    get toolset() {
      return content().toolset;
    },
  };
}

/**
 * Keeps a history in memory compressed, because ten revisions of a large toolset take as much memory as thousands of Services,
 * and are needed only for a rollback or a repair.
 */
export class CompactRevisions {
  readonly #reader: Reader;
  /** By identity of the content, which does not change. */
  #compressed: ReadonlyMap<string, Uint8Array> = new Map();

  /** @param reader reads the tools in documents */
  constructor(reader: Reader) {
    this.#reader = reader;
  }

  /** Compresses revisions, in their order. */
  async compact(revisions: readonly Revision[]): Promise<readonly ReadRevision[]> {
    const breathe = yieldEvery(MAX_SLICE_MS);
    const compressed = new Map<string, Uint8Array>();
    const compact: ReadRevision[] = [];
    for (const revision of revisions) {
      const { documents, overrides } = revision;
      const id = identityOf(revision);
      const bytes = this.#compressed.get(id) ?? compress({ documents, overrides });
      compressed.set(id, bytes);
      compact.push(lazily(revision, bytes, this.#reader));
      await breathe();
    }
    this.#compressed = compressed;
    return compact;
  }
}

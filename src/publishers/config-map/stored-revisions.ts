import * as z from 'zod';
import type { Content, Revision } from '../../model/revision.ts';
import { yieldEvery } from '../../model/yield-every.ts';
import {
  LAST_PUBLISHED,
  PUBLISHED_BEFORE,
  PUBLISHED_UNTIL,
  rollbackOf,
  SERVICES_IN_USE,
} from '../../planning/plan.ts';
import { identityOf } from '../../planning/revisions.ts';
import { CompressedTexts } from './compressed-texts.ts';
import { unpackRevision } from './revision-data.ts';

/** Maximum time to compress without yielding to the event loop, in milliseconds. */
const MAX_SLICE_MS = 20;

const metadataSchema = z.object({
  name: z.string(),
  uid: z.string().default(''),
  resourceVersion: z.string().default(''),
  creationTimestamp: z.string().default(''),
  annotations: z.record(z.string(), z.string()).default({}),
});
const namedSchema = z.object({ metadata: metadataSchema });
const schema = namedSchema.extend({
  revision: z.number().int(),
  data: z.record(z.string(), z.string()),
});

type Metadata = z.infer<typeof metadataSchema>;

/** An object with our labels. */
interface Stored {
  readonly metadata: Metadata;
  /** Absent for an object of others. */
  readonly revision: Revision | undefined;
}

/** Reads a number of milliseconds; `undefined` if it is something else. */
const milliseconds = (text = ''): number | undefined => (/^\d{1,15}$/.test(text) ? Number(text) : undefined);

/** A revision whose texts are decompressed when they are read. */
function revisionOf(
  { name, creationTimestamp, annotations }: Metadata,
  number: number,
  identity: string,
  content: CompressedTexts,
): Revision {
  return {
    name,
    number,
    created: creationTimestamp,
    published: annotations[LAST_PUBLISHED],
    publishedBefore: milliseconds(annotations[PUBLISHED_BEFORE]),
    publishedUntil: annotations[PUBLISHED_UNTIL],
    rollback: rollbackOf(annotations),
    servicesInUse: annotations[SERVICES_IN_USE],
    identity,
    get documents() {
      return content.texts.documents;
    },
    get overrides() {
      return content.texts.overrides;
    },
  };
}

/** How to read the objects with our labels. */
export interface RevisionReads {
  /** All of them, or only the one with a name. */
  readonly objects: (name: string | undefined, signal: AbortSignal) => Promise<readonly unknown[]>;
  /** The metadata of all. */
  readonly metadata: (signal: AbortSignal) => Promise<readonly unknown[]>;
}

/**
 * The stored revisions in memory. They are large and hardly ever change, so only those that are new, or that others changed,
 * are read again.
 */
export class StoredRevisions {
  readonly #reads: RevisionReads;
  #known: ReadonlyMap<string, Stored> = new Map();
  readonly #contents = new WeakMap<Revision, CompressedTexts>();

  constructor(reads: RevisionReads) {
    this.#reads = reads;
  }

  /** The revisions as of the last read, with our own writes since. */
  get all(): readonly Revision[] {
    return [...this.#known.values()].flatMap(({ revision }) => revision ?? []);
  }

  /** Reads what is new. @throws as the reads */
  async read(signal: AbortSignal): Promise<readonly Revision[]> {
    if (this.#known.size === 0) await this.#readAll(signal);
    else await this.#readChanges(signal);
    return this.all;
  }

  async #readAll(signal: AbortSignal): Promise<void> {
    const breathe = yieldEvery(MAX_SLICE_MS);
    for (const object of await this.#reads.objects(undefined, signal)) {
      const stored = await this.#storedOf(object);
      if (stored !== undefined) this.#remember(stored);
      await breathe();
    }
  }

  async #readChanges(signal: AbortSignal): Promise<void> {
    const found = new Map<string, Stored>();
    for (const object of await this.#reads.metadata(signal)) {
      const { success, data } = namedSchema.safeParse(object);
      if (!success) continue;
      const { name, uid, resourceVersion } = data.metadata;
      const known = this.#known.get(name);
      const isSame = known?.metadata.uid === uid && known.metadata.resourceVersion === resourceVersion;
      if (isSame && resourceVersion !== '') {
        found.set(name, known);
        continue;
      }
      const [changed] = await this.#reads.objects(name, signal);
      const stored = await this.#storedOf(changed);
      if (stored !== undefined) found.set(name, stored);
    }
    this.#known = found;
  }

  /**
   * Remembers a new revision. Its content cannot change afterwards.
   * @param object the metadata that the server returned
   * @returns whether it is known now
   */
  created(object: unknown, number: number, content: Content): boolean {
    const { success, data } = namedSchema.safeParse(object);
    if (!success) return false;
    const { metadata } = data;
    const texts = new CompressedTexts(content);
    this.#remember({ metadata, revision: this.#revision(metadata, number, identityOf(content), texts) });
    return true;
  }

  /**
   * Remembers the metadata of a known revision as the server returned them after a change.
   * @param number its number, if that changed
   * @returns whether it is known
   */
  changed(object: unknown, number?: number): boolean {
    const { success, data } = namedSchema.safeParse(object);
    const { metadata, revision } = this.#known.get(success ? data.metadata.name : '') ?? {};
    const content = revision === undefined ? undefined : this.#contents.get(revision);
    if (!success || metadata?.uid !== data.metadata.uid) return false;
    if (revision === undefined || content === undefined) return false;
    // Another process published it again meanwhile, so it has another number.
    const isRenumbered = data.metadata.annotations[LAST_PUBLISHED] !== revision.published;
    if (number === undefined && isRenumbered) return false;
    const made = this.#revision(data.metadata, number ?? revision.number, identityOf(revision), content);
    this.#remember({ metadata: data.metadata, revision: made });
    return true;
  }

  /** Forgets a deleted revision. */
  removed(name: string): void {
    const known = new Map(this.#known);
    known.delete(name);
    this.#known = known;
  }

  #remember(stored: Stored): void {
    this.#known = new Map(this.#known).set(stored.metadata.name, stored);
  }

  async #storedOf(object: unknown): Promise<Stored | undefined> {
    const named = namedSchema.safeParse(object);
    if (!named.success) return undefined;
    const { metadata } = named.data;
    const { success, data } = schema.safeParse(object);
    const texts = success ? await unpackRevision(data.data) : undefined;
    if (!success || texts === undefined) return { metadata, revision: undefined };
    const identity = identityOf({ ...texts, rollback: undefined });
    const content = new CompressedTexts(texts);
    return { metadata, revision: this.#revision(metadata, data.revision, identity, content) };
  }

  #revision(metadata: Metadata, number: number, identity: string, content: CompressedTexts): Revision {
    const revision = revisionOf(metadata, number, identity, content);
    this.#contents.set(revision, content);
    return revision;
  }
}

import { type Documents, partsOf, shardOf, type Toolset, toolsetOf } from '../model/documents.ts';
import type { Published } from '../model/published.ts';
import type { Revision } from '../model/revision.ts';
import { contentHash } from './content-hash.ts';
import { CONTENT_HASH, PUBLISHED_TOOLS, SHARDS } from './plan.ts';
import { rememberedTools } from './remembered-tools.ts';

/** Reads tools from the documents of a target. */
export interface Reader {
  /** Names of our documents. */
  readonly names: readonly string[];
  /** Names of documents that can be divided among several ConfigMaps. */
  readonly divisible?: readonly string[];
  /** Whether `read` finds the tools; else what is published remembers them in an annotation. */
  readonly readsBack: boolean;
  /** Reads the tools in documents. */
  read(documents: Documents): Toolset;
}

/** A published toolset as data. */
export interface Observed extends Published {
  /** Names of our documents, whether or not they exist. */
  readonly names: readonly string[];
  /** Our existing documents, with their tools. */
  readonly present: Toolset;
  /** Our documents with their tools, if none is missing. */
  readonly toolset: Toolset | undefined;
}

/** A revision with its tools. */
export interface ReadRevision extends Revision {
  readonly toolset: Toolset;
}

/**
 * Whether none of our documents is missing. Fewer documents than outputs are complete if they match the published hash,
 * because another version of the program may have had fewer outputs.
 */
function isWhole(
  documents: Documents,
  { annotations }: Published,
  { names, divisible = [] }: Reader,
): boolean {
  const count = Object.keys(documents).filter((name) => shardOf(name).shard === 1).length;
  const shards = Number(annotations[SHARDS]) || 1;
  const isDivided = (name: string): boolean => partsOf(documents, name).length === shards;
  if (count === names.length) return shards === 1 || divisible.every(isDivided);
  return count > 0 && contentHash(documents) === annotations[CONTENT_HASH];
}

/** Reads the published documents. After this step, nothing parses documents. */
export function observe(live: Published | undefined, reader: Reader): Observed | undefined {
  if (live === undefined) return undefined;
  const parts = Object.keys(live.data).filter((name) => {
    const { document, shard } = shardOf(name);
    return shard > 1 && reader.divisible?.includes(document) === true;
  });
  const names = [...reader.names, ...parts];
  const there = names.flatMap((name) => {
    const text = live.data[name];
    return text === undefined ? [] : [[name, text] as const];
  });
  const documents = Object.fromEntries(there);
  const present = reader.readsBack
    ? reader.read(documents)
    : toolsetOf(documents, () => rememberedTools(live.annotations[PUBLISHED_TOOLS]));
  return { ...live, names, present, toolset: isWhole(documents, live, reader) ? present : undefined };
}

/** A revision whose documents are read and parsed when they are needed. The garbage collector may remove the result again. */
function observeRevision(revision: Revision, reader: Reader): ReadRevision {
  const { name, number, created, published, publishedBefore, publishedUntil, rollback } = revision;
  let last: WeakRef<Toolset> | undefined;
  return {
    ...{ name, number, created, published, publishedBefore, publishedUntil, rollback },
    ...(revision.identity === undefined ? {} : { identity: revision.identity }),
    ...(revision.servicesInUse === undefined ? {} : { servicesInUse: revision.servicesInUse }),
    get documents() {
      return revision.documents;
    },
    get overrides() {
      return revision.overrides;
    },
    get toolset() {
      const known = last?.deref();
      if (known !== undefined) return known;
      const toolset = reader.read(revision.documents);
      last = new WeakRef(toolset);
      return toolset;
    },
  };
}

/** Revisions with their tools. Only those that are needed are parsed, because documents are large. */
export const observeRevisions = (revisions: readonly Revision[], reader: Reader): readonly ReadRevision[] =>
  revisions.map((revision) => observeRevision(revision, reader));

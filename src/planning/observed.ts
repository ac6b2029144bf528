import { type Documents, partsOf, shardOf, type Toolset, toolsetOf } from '../model/documents.ts';
import type { Published } from '../model/published.ts';
import type { Revision } from '../model/revision.ts';
import { contentHash } from './content-hash.ts';
import { CONTENT_HASH, PUBLISHED_TOOLS, SHARDS } from './plan.ts';
import { rememberedTools } from './remembered-tools.ts';

/** What is known of the documents of a target, whatever they are. */
export interface Reader {
  /** Names of the documents that are ours. */
  readonly names: readonly string[];
  /** Names of those that can be divided among several ConfigMaps. */
  readonly divisible?: readonly string[];
  /** Whether `read` finds the tools; else what is published remembers them in an annotation. */
  readonly readsBack: boolean;
  /** Documents with the tools in them. */
  read(documents: Documents): Toolset;
}

/** A published toolset as data. */
export interface Observed extends Published {
  /** Names of the documents that are ours, whether or not they are there. */
  readonly names: readonly string[];
  /** Those of our documents that are there, and the tools in them. */
  readonly present: Toolset;
  /** The same if none is missing. */
  readonly toolset: Toolset | undefined;
}

/** A revision, and the tools in it. */
export interface ReadRevision extends Revision {
  readonly toolset: Toolset;
}

/**
 * Whether none of our documents is missing. Fewer than there are outputs are whole if they are what we published: another
 * version of the program may have had fewer outputs.
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

/** Reads what is published. From here on, nothing looks into documents. */
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

/** Reads revisions, so that nothing looks into their documents. */
export const observeRevisions = (revisions: readonly Revision[], reader: Reader): readonly ReadRevision[] =>
  revisions.map((revision) => ({ ...revision, toolset: reader.read(revision.documents) }));

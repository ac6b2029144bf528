import type { Problem } from './discovery.ts';
import type { PublishedTool } from './published-tools.ts';

/** Generated documents by name: the keys of ours in the ConfigMap. Only outputs know which there are. */
export type Documents = Readonly<Record<string, string>>;

/**
 * The names of documents in their one order, for hashes, differences and texts. It is descending, as in release 0.1, which
 * had `toolset.json` before `custom_toolset.yaml`: an existing hash stays the same.
 */
export const namesOf = (documents: Documents): string[] => Object.keys(documents).sort().reverse();

/** Whether two sets of documents have the same names and texts. */
export const sameDocuments = (one: Documents, other: Documents): boolean => {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
};

/**
 * The name of a part of a document that is divided among several ConfigMaps. The first part has the document's own name. No
 * key of a ConfigMap can have a `#`, so the others are never mistaken for a key of the first ConfigMap.
 * @param shard the number of the ConfigMap, from 1
 */
export const shardName = (document: string, shard: number): string =>
  shard === 1 ? document : `${document}#${shard}`;

/** The document that a name stands for, and the number of the ConfigMap that has this part of it. */
export function shardOf(name: string): { readonly document: string; readonly shard: number } {
  const [, document, number] = /^([^#]+)#([2-9]|[1-9]\d)$/.exec(name) ?? [];
  return document === undefined ? { document: name, shard: 1 } : { document, shard: Number(number) };
}

/** The parts of a document by name, in the order of their ConfigMaps. */
export const partsOf = (documents: Documents, document: string): (readonly [name: string, text: string])[] =>
  Object.entries(documents)
    .filter(([name]) => shardOf(name).document === document)
    .sort(([a], [b]) => shardOf(a).shard - shardOf(b).shard);

/** Documents by the ConfigMap that they are in: those of the first one, then those of the second, and so on. */
export function byShard(documents: Documents): ReadonlyMap<number, Documents> {
  const shards = Map.groupBy(namesOf(documents), (name) => shardOf(name).shard);
  const ordered = [...shards].sort(([a], [b]) => a - b);
  return new Map(
    ordered.map(([shard, names]) => [
      shard,
      Object.fromEntries(names.map((name) => [shardOf(name).document, documents[name] ?? ''])),
    ]),
  );
}

/** Documents with their tools. */
export interface Toolset {
  readonly documents: Documents;
  readonly tools: readonly PublishedTool[];
}

/** Creates a toolset whose tools are read lazily. */
export function toolsetOf(documents: Documents, read: () => readonly PublishedTool[]): Toolset {
  let tools: readonly PublishedTool[] | undefined;
  return {
    documents,
    get tools() {
      tools ??= read();
      return tools;
    },
  };
}

/** The data key that belongs to users. It is read, and never overwritten. */
export const OVERRIDES_KEY = 'overrides.yaml';

/** The limits that can keep a tool, or its description, out of the documents. */
export const LIMIT_NAMES = [
  'namespace_tools',
  'description_bytes',
  'document_bytes',
  'agent_tools',
  'agent_bytes',
] as const;
export type LimitName = (typeof LIMIT_NAMES)[number];

/** Where a tool is left out. The names of several documents are joined. */
export interface Scope {
  /** The documents that do not contain it; absent: none does, or something else than the tool is left out. */
  readonly leftOutOf?: string;
  /** The other documents of the target, which contain it; absent: there are none. */
  readonly keptIn?: string;
}

/** The documents that do not contain a tool, according to what left it out. */
export const documentsWithout = (scopes: readonly Scope[]): readonly string[] => [
  ...new Set(scopes.flatMap(({ leftOutOf }) => leftOutOf?.split(' and ') ?? [])),
];

/** What a limit removed from a tool. */
export interface Cut extends Scope {
  readonly limit: LimitName;
  /** `namespace/service` of the tool. */
  readonly key: string;
  /** One human-readable line, with the setting that changes the limit. */
  readonly why: string;
}

/** A tool that an output leaves out because its agent cannot use it. */
export interface Omission extends Scope {
  /** `namespace/service` of the tool. */
  readonly key: string;
  /** Its published name. */
  readonly tool: string;
  /**
   * `credentials`: none are configured, and the agent needs some; `tenant`: no tenant is configured, and the backend requires
   * one; `unsupported`: the agent cannot use it as it is; `listed`: the agent's own configuration lists it already; `removed`:
   * that configuration removes it or switches it off; `overridden`: overrides do.
   */
  readonly cause: 'credentials' | 'tenant' | 'unsupported' | 'listed' | 'removed' | 'overridden';
  /** One human-readable line. */
  readonly why: string;
  /** What to do about it, as an imperative. */
  readonly fix?: string;
}

/** Generated documents with their tools, and what was left out and why. */
export interface Generated extends Toolset {
  readonly notes: readonly Problem[];
  /** The notes about limits, one per namespace. */
  readonly limitNotes: readonly Problem[];
  /** What limits removed, by tool. */
  readonly cuts: readonly Cut[];
  /** Tools that are in one document but not in another. */
  readonly omissions: readonly Omission[];
  /** `namespace/name` of the Services that wait for approval. */
  readonly waiting: readonly string[];
  /** These, and all others that are not approved for publication. */
  readonly held: readonly string[];
  /** `namespace/name` of the Services that are left out only because they are unhealthy. */
  readonly unhealthy: readonly string[];
}

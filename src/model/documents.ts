import type { Problem } from './discovery.ts';

/** Names of the generated documents: the data keys that are ours. */
export const DOCUMENT_KEYS = ['toolset.json', 'custom_toolset.yaml'] as const;

/** The generated documents, by the names they have in the ConfigMap. */
export type Documents = Readonly<Record<(typeof DOCUMENT_KEYS)[number], string>>;

/** The data key that belongs to people: it is read and never written. */
export const OVERRIDES_KEY = 'overrides.yaml';

/** The limits that can keep something of a backend out of the documents. */
export const LIMIT_NAMES = ['namespace_tools', 'description_bytes', 'document_bytes', 'agent_tools'] as const;
export type LimitName = (typeof LIMIT_NAMES)[number];

/** What a limit took from a tool. */
export interface Cut {
  readonly limit: LimitName;
  /** `namespace/service` of the tool. */
  readonly key: string;
  /** One line for a person, with the setting that changes the limit. */
  readonly why: string;
}

/** A tool that is in one document and left out of another one. */
export interface Omission {
  /** `namespace/service` of the tool. */
  readonly key: string;
  /** `credentials`: none are configured, and the agent needs some; `unsupported`: the agent cannot use it as it is. */
  readonly cause: 'credentials' | 'unsupported';
  /** One line for a person. */
  readonly why: string;
  /** Where it is all the same. */
  readonly keptIn: string;
}

/** What generating gave: the documents, how many tools they hold, and what was left out and why. */
export interface Generated {
  readonly documents: Documents;
  readonly tools: number;
  readonly notes: readonly Problem[];
  /** Those of the notes that tell of limits, a line for a namespace. */
  readonly limitNotes: readonly Problem[];
  /** What limits took, by tool. */
  readonly cuts: readonly Cut[];
  /** Tools that are in one document and left out of another one. */
  readonly omissions: readonly Omission[];
  /** `namespace/name` of the Services that wait for a person's approval. */
  readonly waiting: readonly string[];
  /** Those, and all others that are kept out of the documents because of what they are. */
  readonly held: readonly string[];
}

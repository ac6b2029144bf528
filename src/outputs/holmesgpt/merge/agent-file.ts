import { createHash } from 'node:crypto';
import type { Problem } from '../../../model/discovery.ts';
import type { Mapping } from '../../../model/mapping.ts';
import type { PublishedTool } from '../../../model/published-tools.ts';
import { sections, type Version } from './hand-written.ts';
import { headOf, versionLine } from './version-line.ts';

/** The file that HolmesGPT reads, as a key of its ConfigMap. */
export const FILE = 'custom_toolset.yaml';

/** The key that keeps the hand-written text. */
export const HAND_WRITTEN = 'custom_toolset.person.yaml';

/** The key that keeps the generated text of the last write. */
export const GENERATED = 'custom_toolset.generated.yaml';

/** The hash of the file as last written. */
export const FILE_HASH = 'kubernaut.io/agent-file-hash';

/** The version that was written last, as the second line of the file has it. */
export const FILE_VERSION = 'kubernaut.io/agent-file-version';

/** The hash of the hand-written text as last written. */
export const PERSON_HASH = 'kubernaut.io/agent-person-hash';

/** The beginning of the keys that keep edited files of which not everything could be kept. */
export const REJECTED = 'custom_toolset.rejected.';

/** The number of writes. */
export const FILE_REVISION = 'kubernaut.io/agent-file-revision';

/** The first line of a merged file. An edit keeps it; a replacement, for example by Helm, does not have it. */
const MARK =
  '# Made by dynamic-toolset from the two texts beside it: what people wrote, and what is generated.';

/** The first line in release 0.1.0, which merged field by field. */
const OLD_MARK =
  '# Made by dynamic-toolset from the two texts beside it: what is generated, and what people wrote.';

/** The relevant part of HolmesGPT's ConfigMap. */
export interface AgentConfigMap {
  readonly data: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The operations on HolmesGPT's file. */
export interface HolmesFile {
  /** Serializes a document. */
  readonly write: (document: Mapping) => string;
  /** Why HolmesGPT would reject the document, in one line; `undefined` if it would not. */
  readonly fault: (document: Mapping) => string | undefined;
  /** Joins a hand-written document to the generated one, with notes for the operator. */
  readonly join: (generated: Mapping, handWritten: Mapping) => JoinedFile;
  /**
   * The generated document without the MCP servers that the hand-written one has already, judging by the published tools.
   */
  readonly withoutDuplicates: (
    generated: Mapping,
    handWritten: Mapping,
    tools: readonly PublishedTool[],
  ) => JoinedFile;
  /** Refines a patch from the differences of an edit, for the backends of toolsets. */
  readonly learn: (patch: Mapping, edit: { readonly edited: Mapping } & Version) => Mapping;
}

export interface JoinedFile {
  readonly document: Mapping;
  /** By section and name of the entry. */
  readonly notes: readonly {
    readonly section: string;
    readonly name: string;
    readonly note: Omit<Problem, 'where'>;
  }[];
}

/** The hash of a file, as `FILE_HASH` has it. */
export const fileHash = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

/** Joins the sections that HolmesGPT reads. */
export function joined(generated: Mapping, handWritten: Mapping, holmes: HolmesFile): JoinedFile {
  const { document, notes } = holmes.join(sections(generated), sections(handWritten));
  return { document: sections(document), notes };
}

/** Whether the file is as it was last written. */
export const isUntouched = ({ data: { [FILE]: file }, annotations }: AgentConfigMap): boolean =>
  file !== undefined && fileHash(file) === annotations[FILE_HASH];

/** Whether this program wrote a file, which may have been edited since, but not replaced. */
export const isMade = (file: string): boolean => headOf(file).includes(MARK) || isMadeByFieldMerge(file);

/** Whether release 0.1.0 made a file. */
export const isMadeByFieldMerge = (file: string): boolean => headOf(file).includes(OLD_MARK);

/** A file with its first two lines. @param revision the number of the write */
export const fileOf = (content: string, revision: number): string =>
  `${MARK}\n${versionLine(content, revision)}${content}`;

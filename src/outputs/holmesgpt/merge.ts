import { createHash } from 'node:crypto';
import type { Problem } from '../../model/discovery.ts';
import type { Mapping } from '../../model/mapping.ts';
import { mergePatch } from '../../model/merge.ts';
import type { PublishedTool } from '../../model/published-tools.ts';
import { same } from '../../model/same.ts';
import {
  changedBy,
  type LastWrite,
  reapplied,
  replacedBy,
  sections,
  withoutUndoing,
} from './hand-written.ts';
import { type VersionTexts, versionLine, versionOf } from './version-line.ts';
import { edited, own as ownValue, readMapping } from './yaml.ts';

/** The file that HolmesGPT reads, as a key of its ConfigMap. */
export const FILE = 'custom_toolset.yaml';

/** The key that keeps the hand-written text. */
export const HAND_WRITTEN = 'custom_toolset.person.yaml';

/** The key that keeps the generated text of the last write. */
export const GENERATED = 'custom_toolset.generated.yaml';

/** The hash of the file as last written. */
export const FILE_HASH = 'kubernaut.io/agent-file-hash';

/** The number of writes. */
export const FILE_REVISION = 'kubernaut.io/agent-file-revision';

/** The first line of a merged file. An edit keeps it; a replacement, for example by Helm, does not have it. */
const MARK =
  '# Made by dynamic-toolset from the two texts beside it: what people wrote, and what is generated.\n';

/** The first line in release 0.1.0, which merged field by field. */
const OLD_MARK =
  '# Made by dynamic-toolset from the two texts beside it: what is generated, and what people wrote.\n';

/** Maximum size of all data in bytes: Kubernetes rejects objects over 1 MiB, and metadata needs room too. */
const LARGEST = 900 * 1024;

/** The room for the generated text is a multiple of this, so that small edits do not change it, in bytes. */
const ROOM_STEP = 4 * 1024;
/** With less room than this, leaving tools out may not help, in bytes. */
const LEAST_ROOM = 16 * 1024;

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
  readonly learn: (patch: Mapping, edit: { readonly edited: Mapping } & LastWrite) => Mapping;
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

export type AgentMerge =
  /** Nothing to write. */
  | {
      readonly kind: 'none';
      readonly token: string;
      readonly notes: JoinedFile['notes'];
      readonly room: number;
    }
  | {
      readonly kind: 'write';
      readonly data: Readonly<Record<string, string>>;
      readonly annotations: Readonly<Record<string, string>>;
      /** Identifies the state of the file. Every write has a new token. */
      readonly token: string;
      /** The file was edited, and the edits were kept: the changed entries, such as `toolsets prometheus/metrics`. */
      readonly learned?: readonly string[];
      /** The version that was edited is unknown, so everything that changed since counts as edited. */
      readonly outdated?: true;
      readonly notes: JoinedFile['notes'];
      /** Maximum bytes of the generated text beside what people wrote. */
      readonly room: number;
    }
  /** Nothing may be written: the reason, and the fix. */
  | {
      readonly kind: 'refused';
      readonly what: string;
      readonly fix: string;
      /** If the generated text has too many bytes, how many it may have. */
      readonly room?: number;
    };

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Combines the file and the number of writes, so that a file that was changed and restored has a new token. */
const tokenOf = (file: string, revision: number): string => `${revision}-${hashOf(file).slice(0, 16)}`;

/** Joins the sections that HolmesGPT reads. */
function joined(generated: Mapping, handWritten: Mapping, holmes: HolmesFile): JoinedFile {
  const { document, notes } = holmes.join(sections(generated), sections(handWritten));
  return { document: sections(document), notes };
}

type PersonText =
  | { readonly text: string; readonly outdated?: true }
  | { readonly broken: string; readonly key: string };

/** Whether the file is as it was last written. */
export const isUntouched = ({ data: { [FILE]: file }, annotations }: AgentConfigMap): boolean =>
  file !== undefined && `sha256:${hashOf(file)}` === annotations[FILE_HASH];

/**
 * The hand-written text, updated from edits of the file.
 * @param offered what is generated now
 * @param known the texts of the version that was edited, if it is remembered
 */
function personText(
  live: AgentConfigMap,
  offered: Mapping,
  holmes: HolmesFile,
  known: VersionTexts | undefined,
): PersonText {
  const { [FILE]: file, [HAND_WRITTEN]: handWritten } = live.data;
  const generated = known?.generated ?? live.data[GENERATED];
  const untouched = file === undefined || file.trim() === '' || isUntouched(live);
  if (untouched && handWritten !== undefined) return { text: handWritten };
  if (file === undefined) return { text: '' };
  const now = readMapping(file);
  if ('fault' in now) return { broken: now.fault, key: FILE };
  // An edit can only be attributed if the generated text of that time is known.
  const base = generated === undefined ? undefined : readMapping(generated);
  if (base === undefined || 'fault' in base) return { text: file };
  const old = readMapping(known?.handWritten ?? handWritten ?? '');
  if ('fault' in old) return { broken: old.fault, key: HAND_WRITTEN };
  const isOld = file.startsWith(OLD_MARK);
  const before = {
    generated: sections(base.value),
    handWritten: old.value,
    merged: isOld
      ? sections(mergePatch(sections(base.value), sections(old.value)) as Mapping)
      : joined(base.value, old.value, holmes).document,
  };
  if (!file.startsWith(MARK) && !isOld) return { text: edited(file, replacedBy(now.value, before)) };
  // Keys that HolmesGPT ignores are only in the hand-written text.
  const others = Object.fromEntries(
    Object.entries(old.value).filter(([key]) => !Object.hasOwn(sections(old.value), key)),
  );
  const since = { ...before, handWritten: sections(old.value) };
  const changes = changedBy(now.value, since);
  const patch = isOld ? changes : holmes.learn(changes, { ...since, edited: now.value });
  const version = versionOf(file);
  const isOutdated =
    version !== undefined && known === undefined && version !== versionOf(fileOf(before.merged, holmes));
  const next = { ...others, ...withoutUndoing(patch, since, offered, isOutdated) };
  if (known === undefined || known.handWritten === handWritten)
    return { text: edited(handWritten ?? '', next), ...(isOutdated ? { outdated: true as const } : {}) };
  // Somebody changed the hand-written text, too, after this edit began.
  const current = readMapping(handWritten ?? '');
  if ('fault' in current) return { broken: current.fault, key: HAND_WRITTEN };
  return { text: edited(handWritten ?? '', reapplied(old.value, next, current.value)) };
}

function fileOf(document: Mapping, holmes: HolmesFile): string {
  const content = holmes.write(document);
  return MARK + versionLine(content) + content;
}

/** The entries that differ between two hand-written documents, such as `toolsets prometheus/metrics`. */
function differing(before: Mapping, now: Mapping): string[] {
  const [old, next] = [sections(before), sections(now)];
  return [...new Set([...Object.keys(old), ...Object.keys(next)])].flatMap((section) => {
    const [a, b] = [ownValue(old, section) ?? {}, ownValue(next, section) ?? {}] as Mapping[];
    return [...new Set([...Object.keys(a ?? {}), ...Object.keys(b ?? {})])]
      .filter((name) => !same(ownValue(a, name), ownValue(b, name)))
      .map((name) => `${section} ${name}`);
  });
}

/**
 * Plans the update of HolmesGPT's ConfigMap. Hand-written text, including Helm's, is kept in a key next to the file and wins
 * over generated entries. Pure and idempotent.
 * @param offered the generated `custom_toolset.yaml`
 * @param tools the tools that are published with it
 * @param known the texts of the version that the live file has edits of, if it has any and they are remembered
 */
export function mergeForAgent(
  offered: string,
  live: AgentConfigMap,
  holmes: HolmesFile,
  tools: readonly PublishedTool[] = [],
  known?: VersionTexts,
): AgentMerge {
  const base = readMapping(offered);
  if ('fault' in base) throw new Error(`the generated ${FILE} cannot be read: ${base.fault}`);
  const handWritten = personText(live, sections(base.value), holmes, known);
  const own = 'text' in handWritten ? readMapping(handWritten.text) : { fault: handWritten.broken };
  if (!('text' in handWritten) || 'fault' in own)
    return {
      kind: 'refused',
      what: `the key ${'key' in handWritten ? handWritten.key : HAND_WRITTEN} cannot be read: ${'fault' in own ? own.fault : ''}`,
      fix: 'it is left as it is; correct it',
    };
  // The remaining part is saved next to the file, so that later edits are compared with it.
  const added = holmes.withoutDuplicates(sections(base.value), sections(own.value), tools);
  const generated = added.notes.length === 0 ? offered : holmes.write(added.document);
  const join = joined(added.notes.length === 0 ? base.value : added.document, own.value, holmes);
  const { document } = join;
  const notes = [...added.notes, ...join.notes];
  const fault = holmes.fault(document);
  if (fault !== undefined)
    return {
      kind: 'refused',
      what: `HolmesGPT would reject ${FILE} with its hand-written content: ${fault}`,
      fix: `it is left as it is; correct ${live.data[HAND_WRITTEN] === undefined ? FILE : HAND_WRITTEN}`,
    };
  const file = fileOf(document, holmes);
  const data = { [FILE]: file, [HAND_WRITTEN]: handWritten.text, [GENERATED]: generated };
  const counted = Number(live.annotations[FILE_REVISION] ?? 0);
  const revision = Number.isSafeInteger(counted) && counted >= 0 ? counted : 0;
  const fileStays = live.data[FILE] === file && live.annotations[FILE_HASH] === `sha256:${hashOf(file)}`;
  const next = fileStays ? revision : revision + 1;
  const token = tokenOf(file, next);
  const sizeOf = (text: string): number => Buffer.byteLength(text);
  const others = Object.entries(live.data).reduce(
    (sum, [key, text]) => sum + (Object.hasOwn(data, key) ? 0 : sizeOf(text)),
    0,
  );
  // The generated text is stored beside the file that has it, too.
  const persons = sizeOf(handWritten.text) + Math.max(0, sizeOf(file) - sizeOf(generated));
  // With more entries, the file may have some bytes more than both texts.
  const room = Math.max(0, Math.floor((LARGEST - others - persons) / 2 / ROOM_STEP - 2) * ROOM_STEP);
  if (fileStays && Object.entries(data).every(([key, text]) => live.data[key] === text))
    return { kind: 'none', token, notes, room };
  const bytes = others + Object.values(data).reduce((sum, text) => sum + sizeOf(text), 0);
  if (bytes > LARGEST) {
    const kib = (size: number): number => Math.ceil(size / 1024);
    const what = `all keys together would have ${kib(bytes)} KiB, and ${LARGEST / 1024} KiB is the most`;
    if (room >= LEAST_ROOM)
      return {
        kind: 'refused',
        what: `${what}; it is left as it is until tools are left out`,
        fix: `the program leaves tools out now; to keep them, shorten what people wrote in ${FILE} (${kib(sizeOf(handWritten.text))} KiB, stored twice)`,
        room,
      };
    return {
      kind: 'refused',
      what: `${what}: what people wrote in ${FILE} has ${kib(sizeOf(handWritten.text))} KiB and is stored twice, and other keys have ${kib(others)} KiB`,
      fix: 'it is left as it is, so what you withdraw stays in force; shorten these texts',
      room,
    };
  }
  const annotations = { [FILE_HASH]: `sha256:${hashOf(file)}`, [FILE_REVISION]: String(next) };
  const before = live.data[HAND_WRITTEN];
  const isLearned = before !== undefined && before !== handWritten.text;
  const earlier = isLearned ? readMapping(before) : undefined;
  const learned = earlier && differing('value' in earlier ? earlier.value : {}, own.value);
  return {
    kind: 'write',
    data,
    annotations,
    token,
    notes,
    room,
    ...(learned === undefined ? {} : { learned }),
    ...(handWritten.outdated === true ? { outdated: true } : {}),
  };
}

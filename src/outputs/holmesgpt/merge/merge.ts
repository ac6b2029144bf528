import type { Mapping } from '../../../model/mapping.ts';
import type { PublishedTool } from '../../../model/published-tools.ts';
import type { InForce } from '../../output.ts';
import { readMapping } from '../yaml.ts';
import {
  type AgentConfigMap,
  FILE,
  FILE_HASH,
  FILE_REVISION,
  FILE_VERSION,
  fileHash,
  fileOf,
  GENERATED,
  HAND_WRITTEN,
  type HolmesFile,
  isUntouched,
  type JoinedFile,
  joined,
  PERSON_HASH,
  REJECTED,
} from './agent-file.ts';
import { sections } from './hand-written.ts';
import { leftOutByPeople, otherLists } from './left-out.ts';
import { type BrokenKey, changedEntries, differing, type FileChange, personText } from './person-text.ts';
import type { Remembered } from './remembered.ts';
import { versionOf } from './version-line.ts';

/** Maximum size of all data in bytes: Kubernetes rejects objects over 1 MiB, and metadata needs room too. */
const LARGEST = 900 * 1024;

/** The room for the generated text is a multiple of this, so that small edits do not change it, in bytes. */
const ROOM_STEP = 4 * 1024;
/** With less room than this, leaving tools out may not help, in bytes. */
const LEAST_ROOM = 16 * 1024;

/** What to do with HolmesGPT's ConfigMap. */
export type AgentMerge =
  /** Nothing to write. */
  | {
      readonly kind: 'none';
      readonly token: string;
      readonly notes: JoinedFile['notes'];
      /** What people wrote does to what is generated. */
      readonly inForce: InForce;
      readonly room: number;
    }
  | {
      readonly kind: 'write';
      readonly data: Readonly<Record<string, string>>;
      readonly annotations: Readonly<Record<string, string>>;
      /** Identifies the state of the file. Every write has a new token. */
      readonly token: string;
      /** What happened to the file, if it was not as it was written. */
      readonly change?: FileChange;
      /** The entries that the change of the file added to what people wrote, such as `toolsets prometheus/metrics`. */
      readonly learned?: readonly string[];
      /** The key that keeps the file as it was found, because not all of it could be kept. */
      readonly rejected?: string;
      /** The entries that people changed since the last write. */
      readonly touched?: readonly string[];
      /**
       * The entries that somebody changed in the hand-written text or took out of it, and the key that keeps the text from before, if it
       * has room.
       */
      readonly rewritten?: { readonly entries: readonly string[]; readonly key: string | undefined };
      readonly notes: JoinedFile['notes'];
      /** What people wrote does to what is generated. */
      readonly inForce: InForce;
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

/** Combines the file and the number of writes, so that a file that was changed and restored has a new token. */
const tokenOf = (file: string, revision: number): string => `${revision}-${fileHash(file).slice(7, 23)}`;

const sizeOf = (text: string): number => Buffer.byteLength(text);

const isBroken = (text: object): text is BrokenKey => 'broken' in text;

/** The bytes of the keys that are written, and of those that belong to others. */
interface Sizes {
  readonly handWritten: number;
  readonly written: number;
  /** Including the newest copy of an edited file. */
  readonly others: number;
  /** Maximum bytes of the generated text beside what people wrote. */
  readonly room: number;
  /** Maximum bytes of all copies. */
  readonly forCopies: number;
}

function sizesOf(
  texts: { readonly file: string; readonly handWritten: string; readonly generated: string },
  live: AgentConfigMap['data'],
  newestCopy: string,
): Sizes {
  const [file, handWritten, generated] = [texts.file, texts.handWritten, texts.generated].map(sizeOf) as [
    number,
    number,
    number,
  ];
  const own: readonly string[] = [FILE, HAND_WRITTEN, GENERATED];
  const total = (isMeant: (key: string) => boolean): number =>
    Object.entries(live).reduce((sum, [key, text]) => sum + (isMeant(key) ? sizeOf(text) : 0), 0);
  const foreign = total((key) => !own.includes(key) && !key.startsWith(REJECTED));
  // The generated text is stored beside the file that has it, too.
  const persons = handWritten + Math.max(0, file - generated);
  // With more entries, the file may have some bytes more than both texts.
  const roomBeside = (others: number): number =>
    Math.max(0, Math.floor((LARGEST - others - persons) / 2 / ROOM_STEP - 2) * ROOM_STEP);
  // The newest copy comes before generated entries. Older copies get the remaining room.
  const withCopy = foreign + sizeOf(newestCopy);
  const others = roomBeside(withCopy) >= LEAST_ROOM ? withCopy : foreign;
  const written = file + handWritten + generated;
  return { handWritten, written, others, room: roomBeside(others), forCopies: LARGEST - foreign - written };
}

/** Why the texts cannot be stored: all keys together are too large. */
function tooLarge({ handWritten, written, others, room }: Sizes): AgentMerge {
  const kib = (size: number): number => Math.ceil(size / 1024);
  const what = `all keys together would have ${kib(others + written)} KiB, and ${LARGEST / 1024} KiB is the most`;
  if (room >= LEAST_ROOM)
    return {
      kind: 'refused',
      what: `${what}; the file stays as it was until tools are left out`,
      fix: `the program leaves tools out now; to keep them, shorten what people wrote in ${FILE} (${kib(handWritten)} KiB, stored twice)`,
      room,
    };
  return {
    kind: 'refused',
    what: `${what}: what people wrote in ${FILE} has ${kib(handWritten)} KiB and is stored twice, and other keys have ${kib(others)} KiB`,
    fix: 'the file was not changed, so what you withdraw stays in force; shorten these texts',
    room,
  };
}

const unreadable = ({ key, broken, fix }: BrokenKey): AgentMerge => ({
  kind: 'refused',
  what: `the key ${key} cannot be read: ${broken}`,
  fix:
    fix ??
    `the key was not changed; fix the error: until then ${FILE} stays as it is, with what you withdraw meanwhile`,
});

/** The entries that an edit of the file changed in the hand-written text; `undefined` if it is as before, or was not there. */
function learnedFrom(before: string | undefined, text: string, now: Mapping): readonly string[] | undefined {
  if (before === undefined || before === text) return undefined;
  const earlier = readMapping(before);
  return differing('value' in earlier ? earlier.value : {}, now);
}

/** The entries that people changed since a hand-written text; none if there was no text. */
function touchedSince(before: string | undefined, now: Mapping): readonly string[] {
  const read = before === undefined ? undefined : readMapping(before);
  return read === undefined || 'fault' in read ? [] : changedEntries(read.value, now);
}

/** Maximum number of edited files that are kept. */
const MAX_COPIES = 5;

/** The number in the key of an edited file. Later ones have larger numbers. */
const numberOf = (key: string): number => Number(/\.(\d{1,9})\.yaml$/.exec(key)?.[1] ?? 0);

/** The keys with texts of people that are not in force as a whole. */
interface Copies {
  /** Keys and texts, the newest first. */
  readonly all: readonly (readonly [key: string, text: string])[];
  /** The key of each text that needs a copy now. */
  readonly keys: ReadonlyMap<string, string>;
}

/** The copies that are there, with those of some texts. */
function copiesOf(live: AgentConfigMap['data'], texts: readonly string[]): Copies {
  let all = Object.entries(live)
    .filter(([key]) => key.startsWith(REJECTED))
    .sort(([a], [b]) => numberOf(b) - numberOf(a));
  const keys = new Map<string, string>();
  for (const text of texts) {
    const known = all.find(([, each]) => each === text)?.[0];
    const key = known ?? `${REJECTED}${numberOf(all[0]?.[0] ?? '') + 1}.yaml`;
    if (known === undefined) all = [[key, text], ...all];
    keys.set(text, key);
  }
  return { all, keys };
}

/** The copies for which there is room; the newest stay. @param room bytes */
function keptCopies({ all }: Copies, room: number): AgentConfigMap['data'] {
  let left = room;
  const kept = all.filter(([, text]) => {
    const size = sizeOf(text);
    if (size > left) return false;
    left -= size;
    return true;
  });
  return Object.fromEntries(kept.slice(0, MAX_COPIES));
}

/** The file as it was found, unless its change was applied as a whole. */
function notApplied(
  { [FILE]: file }: AgentConfigMap['data'],
  change: FileChange | undefined,
): readonly string[] {
  const isWhole = change?.kind !== 'rejected' && (change?.kind !== 'edited' || change.lost.length === 0);
  return isWhole || file === undefined ? [] : [file];
}

/** The entries of a former hand-written text that are others now, or gone. */
function rewrittenIn(former: string, now: Mapping): readonly string[] {
  const read = readMapping(former);
  if ('fault' in read) return [];
  const added = new Set(
    changedEntries({}, now).filter((entry) => !changedEntries({}, read.value).includes(entry)),
  );
  return changedEntries(read.value, now).filter((entry) => !added.has(entry));
}

/** Whether the hand-written text was edited since the last write. */
const isPersonTextOther = ({ data, annotations }: AgentConfigMap): boolean =>
  annotations[PERSON_HASH] !== undefined && annotations[PERSON_HASH] !== fileHash(data[HAND_WRITTEN] ?? '');

/** A hand-written text that was edited since the last write and is now replaced by a file; `undefined` if there is none. */
const overwrittenBy = (change: FileChange | undefined, live: AgentConfigMap): string | undefined =>
  change?.kind === 'replaced' && isPersonTextOther(live) ? live.data[HAND_WRITTEN] : undefined;

/** The entries of such a file that are others with the hand-written text of now, or gone. */
function rewrittenBefore({ data }: AgentConfigMap, now: Mapping, holmes: HolmesFile): readonly string[] {
  const generated = readMapping(data[GENERATED] ?? '');
  if ('fault' in generated) return [];
  return rewrittenIn(data[FILE] ?? '', joined(generated.value, now, holmes).document);
}

/** How often the file was written. */
function revisionOf({ annotations }: AgentConfigMap): number {
  const counted = Number(annotations[FILE_REVISION] ?? 0);
  return Number.isSafeInteger(counted) && counted >= 0 ? counted : 0;
}

/** Whether the ConfigMap has a file, as it was last written. */
const isWritten = ({ data, annotations }: AgentConfigMap, file: string): boolean =>
  data[FILE] === file &&
  annotations[FILE_HASH] === fileHash(file) &&
  annotations[FILE_VERSION] === versionOf(file);

/**
 * Plans the update of HolmesGPT's ConfigMap. Hand-written text, including Helm's, is kept in a key next to the file and wins
 * over generated entries. Pure and idempotent.
 * @param offered the generated `custom_toolset.yaml`
 * @param tools the tools that are published with it
 * @param remembered what is remembered of earlier versions of the file, and of edits
 */
export function mergeForAgent(
  offered: string,
  live: AgentConfigMap,
  holmes: HolmesFile,
  tools: readonly PublishedTool[] = [],
  remembered: Remembered = {},
): AgentMerge {
  const base = readMapping(offered);
  if ('fault' in base) throw new Error(`the generated ${FILE} cannot be read: ${base.fault}`);
  /** What is generated, without the servers that people list already. */
  const besideOf = (person: Mapping): JoinedFile =>
    holmes.withoutDuplicates(sections(base.value), sections(person), tools);
  const handWritten = personText(live, (person) => besideOf(person).document, holmes, remembered);
  if (isBroken(handWritten)) return unreadable(handWritten);
  const own = readMapping(handWritten.text);
  if ('fault' in own) return unreadable({ key: HAND_WRITTEN, broken: own.fault });
  // The remaining part is saved next to the file, so that later edits are compared with it.
  const added = besideOf(own.value);
  const isWhole = added.notes.length === 0;
  const generated = isWhole ? offered : holmes.write(added.document);
  const join = joined(isWhole ? base.value : added.document, own.value, holmes);
  const notes = [...added.notes, ...join.notes];
  const inForce: InForce = {
    leftOut: leftOutByPeople(base.value, join.document, added.notes, tools),
    lists: otherLists(base.value, join.document),
  };
  const fault = holmes.fault(join.document);
  if (fault !== undefined)
    return {
      kind: 'refused',
      what: `HolmesGPT would reject ${FILE} with its hand-written content: ${fault}`,
      fix: `the file was not changed; fix the error in ${live.data[HAND_WRITTEN] === undefined ? FILE : HAND_WRITTEN}`,
    };
  const content = holmes.write(join.document);
  const before = revisionOf(live);
  const isSame = isWritten(live, fileOf(content, before));
  const revision = before + (isSame ? 0 : 1);
  const file = fileOf(content, revision);
  const { change } = handWritten;
  const { former } = remembered;
  const latest = overwrittenBy(change, live) ?? former;
  const isChangedBefore = remembered.isFirst === true && isUntouched(live) && isPersonTextOther(live);
  const rewritten =
    latest !== undefined
      ? rewrittenIn(latest, own.value)
      : isChangedBefore
        ? rewrittenBefore(live, own.value, holmes)
        : [];
  const replaced = latest ?? live.data[FILE] ?? '';
  const texts = { file, handWritten: handWritten.text, generated };
  const unapplied = notApplied(live.data, change);
  const copied = rewritten.length === 0 ? [] : [replaced];
  const copies = copiesOf(live.data, [...copied, ...unapplied]);
  const [, newest = ''] = copies.all[0] ?? [];
  const sizes = sizesOf(texts, live.data, newest);
  const { room } = sizes;
  const kept = keptCopies(copies, sizes.forCopies);
  const data = { ...kept, [FILE]: file, [HAND_WRITTEN]: handWritten.text, [GENERATED]: generated };
  const token = tokenOf(file, revision);
  if (isSame && Object.entries(data).every(([key, text]) => live.data[key] === text))
    return { kind: 'none', token, notes, inForce, room };
  if (sizes.others + sizes.written > LARGEST) return tooLarge(sizes);
  const keyOf = (text: string | undefined): string | undefined => {
    const key = copies.keys.get(text ?? '');
    return key === undefined || kept[key] === undefined ? undefined : key;
  };
  const rejected = keyOf(unapplied[0]);
  const touched = touchedSince(former ?? live.data[HAND_WRITTEN], own.value);
  const edits = learnedFrom(live.data[HAND_WRITTEN], handWritten.text, own.value);
  return {
    kind: 'write',
    data,
    annotations: {
      [FILE_HASH]: fileHash(file),
      [FILE_REVISION]: String(revision),
      [FILE_VERSION]: versionOf(file) ?? '',
      [PERSON_HASH]: fileHash(handWritten.text),
    },
    token,
    notes,
    inForce,
    room,
    ...(edits === undefined ? {} : { learned: edits }),
    ...(change === undefined ? {} : { change }),
    ...(rejected === undefined ? {} : { rejected }),
    ...(rewritten.length === 0 ? {} : { rewritten: { entries: rewritten, key: keyOf(replaced) } }),
    ...(touched.length === 0 ? {} : { touched }),
  };
}

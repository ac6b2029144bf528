import { isMapping, keysOf, type Mapping, mappingOf } from '../../../model/mapping.ts';
import { mergePatch } from '../../../model/merge.ts';
import { same } from '../../../model/same.ts';
import { isAddress } from '../contract/shape.ts';
import { edited, own, readMapping } from '../yaml.ts';
import {
  type AgentConfigMap,
  FILE,
  FILE_VERSION,
  fileHash,
  GENERATED,
  HAND_WRITTEN,
  type HolmesFile,
  isMade,
  isMadeByFieldMerge,
  isUntouched,
  joined,
  PERSON_HASH,
} from './agent-file.ts';
import { changedBy, replacedBy, sections, type Version } from './hand-written.ts';
import { rebased } from './rebase.ts';
import type { Remembered } from './remembered.ts';
import { isVersionOf, type VersionTexts, versionOf, withoutVersion } from './version-line.ts';

/** The keys of lists of backends. */
const LISTS = new Set(['instances', 'clusters', 'endpoints']);

/** A key that cannot be read, and why. */
export interface BrokenKey {
  readonly broken: string;
  readonly key: string;
  /** What to do, if it is not to fix the error. */
  readonly fix?: string;
}

/** What people wrote. */
export interface PersonText {
  readonly text: string;
  /** What happened to the file, if it is not as it was written. */
  readonly change?: FileChange;
}

/** What happened to a file that is not as it was written. */
export type FileChange =
  /**
   * It was edited. `lost`: entries with changes that were not applied, because they were removed or changed meanwhile. `others`:
   * entries that people changed since the version that the edit began with, and that it has as they were before; absent: none.
   */
  | { readonly kind: 'edited'; readonly lost: readonly string[]; readonly others?: readonly string[] }
  /**
   * The key of the hand-written text was deleted, and is written again. `isWhole`: as it was; otherwise from the file, without its
   * comments.
   */
  | { readonly kind: 'restored'; readonly isWhole: boolean }
  /** The key of the hand-written text and the file were deleted while the program did not run, so nothing has that text. */
  | { readonly kind: 'gone' }
  /** Another file is in its place. */
  | { readonly kind: 'replaced' }
  /** It was edited, starting from a version that is no longer known, so none of the edit is applied. */
  | { readonly kind: 'rejected'; readonly hasVersion: boolean };

/** The version that was made from two texts; `undefined` if the generated one is missing or cannot be read. */
function versionFrom(
  { generated, handWritten }: Pick<VersionTexts, 'handWritten'> & { readonly generated: string | undefined },
  merge: (generated: Mapping, handWritten: Mapping) => Mapping,
): Version | BrokenKey | undefined {
  const base = generated === undefined ? undefined : readMapping(generated);
  if (base === undefined || 'fault' in base) return undefined;
  const old = readMapping(handWritten);
  if ('fault' in old) return { broken: old.fault, key: HAND_WRITTEN };
  return {
    generated: sections(base.value),
    handWritten: sections(old.value),
    merged: merge(base.value, old.value),
  };
}

/** The keys of a hand-written document that HolmesGPT ignores, which are not in the file. */
function ignoredKeys(handWritten: Mapping): Mapping {
  const read = sections(handWritten);
  return Object.fromEntries(Object.entries(handWritten).filter(([key]) => !Object.hasOwn(read, key)));
}

/**
 * The hand-written text, updated from edits of the file. An edit counts as if it had been made in the current version. A text
 * whose key was deleted is written again, because the file still has its content.
 * @param live HolmesGPT's ConfigMap
 * @param currentOf what is generated now, beside a hand-written document
 * @param remembered what is remembered of the version that was edited
 */
export function personText(
  live: AgentConfigMap,
  currentOf: (handWritten: Mapping) => Mapping,
  holmes: HolmesFile,
  remembered: Remembered,
): PersonText | BrokenKey {
  const { deleted } = remembered;
  const isGone = deleted === undefined && isFileMissing(live);
  if (isGone) return { text: live.data[FILE] ?? '', ...(hadText(live) ? { change: { kind: 'gone' } } : {}) };
  if (!isTextMissing(live)) return textFrom(live, currentOf, holmes, remembered);
  const whole = deleted === undefined ? live : { ...live, data: { ...live.data, [HAND_WRITTEN]: deleted } };
  const text = textFrom(whole, currentOf, holmes, remembered);
  if ('broken' in text || text.text.trim() === '') return text;
  const { change } = text;
  // Without the text from before, all that the file has beside generated content looks like an edit.
  const isRestored =
    change === undefined || (deleted === undefined && change.kind === 'edited' && change.lost.length === 0);
  return isRestored ? { ...text, change: { kind: 'restored', isWhole: deleted !== undefined } } : text;
}

/** Whether there is neither a hand-written text nor a file with its content. */
const isFileMissing = ({
  data: { [FILE]: file = '', [HAND_WRITTEN]: handWritten },
}: AgentConfigMap): boolean => handWritten === undefined && file.trim() === '';

/** Whether the hand-written text that was written last had content. */
const hadText = ({ annotations: { [PERSON_HASH]: hash } }: AgentConfigMap): boolean =>
  hash !== undefined && hash !== fileHash('');

/** Whether the key of the hand-written text was deleted, and no other file is there that replaces it. */
function isTextMissing(live: AgentConfigMap): boolean {
  const { [FILE]: file, [HAND_WRITTEN]: handWritten, [GENERATED]: generated } = live.data;
  if (isFileMissing(live)) return true;
  if (handWritten !== undefined || file === undefined || !isMade(file)) return false;
  return generated !== undefined || isUntouched(live);
}

function textFrom(
  live: AgentConfigMap,
  currentOf: (handWritten: Mapping) => Mapping,
  holmes: HolmesFile,
  { known, latest, touched = [] }: Remembered,
): PersonText | BrokenKey {
  const { annotations } = live;
  const data = restored(live.data, latest ?? known);
  const { [FILE]: file, [HAND_WRITTEN]: handWritten } = data;
  const untouched = file === undefined || file.trim() === '' || isUntouched(live);
  if (untouched && handWritten !== undefined) return { text: handWritten };
  if (file === undefined) return { text: '' };
  const now = readMapping(file);
  if ('fault' in now) return { broken: now.fault, key: FILE };
  // Even if another file took its place: an unreadable text must not be replaced.
  const person = readMapping(handWritten ?? '');
  if ('fault' in person) return { broken: person.fault, key: HAND_WRITTEN };
  const isOld = isMadeByFieldMerge(file);
  const last = versionFrom({ generated: data[GENERATED], handWritten: handWritten ?? '' }, (ours, theirs) =>
    isOld
      ? sections(mergePatch(sections(ours), sections(theirs)) as Mapping)
      : joined(ours, theirs, holmes).document,
  );
  if (last === undefined && isMade(file)) return withoutTexts(file, handWritten);
  if (last === undefined) return { text: file, ...(handWritten === undefined ? {} : REPLACED) };
  if ('broken' in last) return last;
  const written = sections(now.value);
  // Without a version that is known, only its comments are others.
  const ignored = ignoredKeys(now.value);
  const isSame = same(written, last.merged) && Object.keys(ignored).length === 0;
  if (isSame && (known === undefined || !isMade(file)))
    return { text: handWritten ?? edited(file, replacedBy(now.value, last)) };
  if (!isMade(file)) return { text: edited(withoutVersion(file), replacedBy(now.value, last)), ...REPLACED };
  const asLearned = (next: Mapping): string =>
    edited(handWritten ?? '', { ...ignoredKeys(person.value), ...ignored, ...next });
  if (isOld) return { text: asLearned(changedBy(written, last)), change: { kind: 'edited', lost: [] } };
  // A hand-written text that was deleted is taken from the file.
  const before = handWritten === undefined ? last : baseOf(file, annotations, last, known, holmes);
  if (before === undefined)
    return {
      text: handWritten ?? '',
      change: { kind: 'rejected', hasVersion: versionOf(file) !== undefined },
    };
  if ('broken' in before) return before;
  const generated = sections(currentOf(person.value));
  const current: Version = {
    generated,
    handWritten: last.handWritten,
    merged: joined(generated, last.handWritten, holmes).document,
  };
  // Who removes a section removes its entries, and not those that come later.
  const entries = { ...Object.fromEntries(Object.keys(before.merged).map((key) => [key, {}])), ...written };
  const atOnce = holmes.learn(changedBy(entries, before), { ...before, edited: written });
  const edit = { file: written, handWritten: atOnce };
  const { handWritten: next, lost, others } = rebased(before, edit, current, new Set(touched));
  return {
    text: asLearned(next),
    change: { kind: 'edited', lost, ...(others.length === 0 ? {} : { others }) },
  };
}

/** The keys, with the last texts in place of missing ones: who replaces the ConfigMap with the file drops them. */
function restored(data: AgentConfigMap['data'], texts: VersionTexts | undefined): AgentConfigMap['data'] {
  const isReplaced =
    data[FILE] !== undefined && data[GENERATED] === undefined && data[HAND_WRITTEN] === undefined;
  return isReplaced && texts !== undefined
    ? { ...data, [GENERATED]: texts.generated, [HAND_WRITTEN]: texts.handWritten }
    : data;
}

/** What becomes of a file that this program wrote, if the text that was generated for it is missing: whose entries it has is unknown. */
function withoutTexts(file: string, handWritten: string | undefined): PersonText | BrokenKey {
  if (handWritten !== undefined)
    return { text: handWritten, change: { kind: 'rejected', hasVersion: versionOf(file) !== undefined } };
  return {
    key: FILE,
    broken: `the keys ${HAND_WRITTEN} and ${GENERATED} are missing, so it is unknown which of its entries people wrote`,
    fix: `the file was not changed; create ${HAND_WRITTEN} with what people wrote, which may be empty, or remove the first two lines of ${FILE}, and all of it counts as written by people`,
  };
}

const REPLACED = { change: { kind: 'replaced' } } as const;

/** The version that an edit began with; `undefined` if it is not known any more. */
function baseOf(
  file: string,
  annotations: AgentConfigMap['annotations'],
  last: Version,
  known: VersionTexts | undefined,
  holmes: HolmesFile,
): Version | BrokenKey | undefined {
  const version = versionOf(file);
  const base =
    known === undefined ? last : versionFrom(known, (ours, theirs) => joined(ours, theirs, holmes).document);
  // Before versions were written, the last one is the only one that is known.
  if (base === undefined || 'broken' in base) return base;
  if (annotations[FILE_VERSION] === undefined && version === undefined) return base;
  // With other settings, or another hand-written text, this is not what the person saw.
  return version !== undefined && isVersionOf(version, holmes.write(base.merged)) ? base : undefined;
}

/** Whether a hand-written entry has the whole list of its backends, so that discovered ones are not added. */
function hasWholeList(entry: unknown): boolean {
  const config = own(entry, 'config');
  return (
    isMapping(config) &&
    Object.entries(config).some(([field, value]) => value === null && (isAddress(field) || LISTS.has(field)))
  );
}

/** The entries that differ between two hand-written documents, such as `toolsets prometheus/metrics`. */
export const changedEntries = (before: Mapping, now: Mapping): string[] =>
  differences(before, now).map(({ section, name }) => `${section} ${name}`);

/** The same, with what that means for their lists. */
export const differing = (before: Mapping, now: Mapping): string[] =>
  differences(before, now).map(({ section, name, old, next }) => {
    const isNew = hasWholeList(next) && !hasWholeList(old);
    return `${section} ${name}${isNew ? ' (its whole list, so discovered backends are not added to it any more)' : ''}`;
  });

function differences(before: Mapping, now: Mapping) {
  const [old, next] = [sections(before), sections(now)];
  return keysOf(old, next).flatMap((section) => {
    const [a, b] = [mappingOf(own(old, section)), mappingOf(own(next, section))];
    return keysOf(a, b)
      .filter((name) => !same(own(a, name), own(b, name)))
      .map((name) => ({ section, name, old: own(a, name), next: own(b, name) }));
  });
}

import type { Mapping } from '../../model/mapping.ts';
import { mergePatch } from '../../model/merge.ts';
import { same } from '../../model/same.ts';
import {
  type AgentConfigMap,
  FILE,
  fileOf,
  GENERATED,
  HAND_WRITTEN,
  type HolmesFile,
  isMade,
  isMadeByFieldMerge,
  isUntouched,
  joined,
} from './agent-file.ts';
import {
  changedBy,
  type LastWrite,
  reapplied,
  replacedBy,
  sections,
  withoutUndoing,
} from './hand-written.ts';
import { type VersionTexts, versionOf } from './version-line.ts';
import { edited, own, readMapping } from './yaml.ts';

/** A key that cannot be read, and why. */
export interface BrokenKey {
  readonly broken: string;
  readonly key: string;
}

/** What people wrote. */
export interface PersonText {
  readonly text: string;
  /** The version that was edited is unknown, so everything that changed since counts as edited. */
  readonly outdated?: true;
}

/**
 * The state with which an edited file is compared: that of the version that was edited, or else of the last write.
 * @returns undefined if the generated text of that time is unknown, so that no edit can be told from it
 */
function lastWriteOf(
  file: string,
  data: AgentConfigMap['data'],
  holmes: HolmesFile,
  known: VersionTexts | undefined,
): LastWrite | BrokenKey | undefined {
  const generated = known?.generated ?? data[GENERATED];
  const base = generated === undefined ? undefined : readMapping(generated);
  if (base === undefined || 'fault' in base) return undefined;
  const old = readMapping(known?.handWritten ?? data[HAND_WRITTEN] ?? '');
  if ('fault' in old) return { broken: old.fault, key: HAND_WRITTEN };
  return {
    generated: sections(base.value),
    handWritten: old.value,
    merged: isMadeByFieldMerge(file)
      ? sections(mergePatch(sections(base.value), sections(old.value)) as Mapping)
      : joined(base.value, old.value, holmes).document,
  };
}

/** The keys of a hand-written document that HolmesGPT ignores, which are not in the file. */
function ignoredKeys(handWritten: Mapping): Mapping {
  const read = sections(handWritten);
  return Object.fromEntries(Object.entries(handWritten).filter(([key]) => !Object.hasOwn(read, key)));
}

/**
 * The hand-written text, updated from edits of the file.
 * @param live HolmesGPT's ConfigMap
 * @param offered what is generated now
 * @param known the texts of the version that was edited, if it is remembered
 */
export function personText(
  { data, annotations }: AgentConfigMap,
  offered: Mapping,
  holmes: HolmesFile,
  known: VersionTexts | undefined,
): PersonText | BrokenKey {
  const { [FILE]: file, [HAND_WRITTEN]: handWritten } = data;
  const untouched = file === undefined || file.trim() === '' || isUntouched({ data, annotations });
  if (untouched && handWritten !== undefined) return { text: handWritten };
  if (file === undefined) return { text: '' };
  const now = readMapping(file);
  if ('fault' in now) return { broken: now.fault, key: FILE };
  const last = lastWriteOf(file, data, holmes, known);
  if (last === undefined) return { text: file };
  if ('broken' in last) return last;
  if (!isMade(file)) return { text: edited(file, replacedBy(now.value, last)) };
  const since = { ...last, handWritten: sections(last.handWritten) };
  const changes = changedBy(now.value, since);
  const patch = isMadeByFieldMerge(file) ? changes : holmes.learn(changes, { ...since, edited: now.value });
  const version = versionOf(file);
  const isOutdated =
    version !== undefined && known === undefined && version !== versionOf(fileOf(last.merged, holmes));
  const next = { ...ignoredKeys(last.handWritten), ...withoutUndoing(patch, since, offered, isOutdated) };
  if (known === undefined || known.handWritten === handWritten)
    return { text: edited(handWritten ?? '', next), ...(isOutdated ? { outdated: true } : {}) };
  // Somebody changed the hand-written text, too, after this edit began.
  const current = readMapping(handWritten ?? '');
  if ('fault' in current) return { broken: current.fault, key: HAND_WRITTEN };
  return { text: edited(handWritten ?? '', reapplied(last.handWritten, next, current.value)) };
}

/** The entries that differ between two hand-written documents, such as `toolsets prometheus/metrics`. */
export function differing(before: Mapping, now: Mapping): string[] {
  const [old, next] = [sections(before), sections(now)];
  const keysOf = (one: object, other: object): string[] => [
    ...new Set([...Object.keys(one), ...Object.keys(other)]),
  ];
  return keysOf(old, next).flatMap((section) => {
    const [a, b] = [own(old, section) ?? {}, own(next, section) ?? {}];
    return keysOf(a, b)
      .filter((name) => !same(own(a, name), own(b, name)))
      .map((name) => `${section} ${name}`);
  });
}

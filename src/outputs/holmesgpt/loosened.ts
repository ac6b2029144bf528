import type { Toolset } from '../../model/documents.ts';
import { NO_OVERRIDES, type Overrides } from '../../model/overrides.ts';
import { exceptionsIn } from './approval.ts';
import { isDefault } from './count.ts';
import { entriesIn, type ListedEntry, wantedEntries } from './listed-entries.ts';
import { isSwitchedOff, restrictionsIn } from './restrictions.ts';
import { sameServers } from './same-servers.ts';
import { own } from './yaml.ts';

/** The patterns of the tools before which HolmesGPT asks. */
function patternsOf({ fields }: ListedEntry): readonly string[] {
  const patterns = own(fields, 'approval_required_tools');
  return Array.isArray(patterns) ? patterns.filter((each) => typeof each === 'string') : [];
}

/** The same for an entry of overrides, where an unreadable list means all tools. */
const wantedPatterns = ({ fields }: ListedEntry): readonly string[] =>
  restrictionsIn(fields).approval_required_tools ?? [];

/**
 * Whether HolmesGPT runs tools without asking with the next patterns before which it asks with the standing ones. Patterns
 * that a person wrote are only compared as texts: each of the standing ones must stay.
 */
function isLooser(standing: readonly string[], next: readonly string[]): boolean {
  if (next.includes('*') || standing.every((pattern) => next.includes(pattern))) return false;
  const free = exceptionsIn(standing);
  const later = exceptionsIn(next);
  if (free === undefined || later === undefined) return true;
  const known = new Set(free);
  return later.some((name) => !known.has(name));
}

const namesakes = (entries: readonly ListedEntry[], { section, name }: ListedEntry): readonly ListedEntry[] =>
  entries.filter((each) => each.section === section && each.name === name);

/** The counterparts of an entry in the newest document that has any. */
function newest(
  documents: readonly (readonly ListedEntry[])[],
  counterparts: (entries: readonly ListedEntry[]) => readonly ListedEntry[],
): readonly ListedEntry[] {
  for (const entries of documents) {
    const found = counterparts(entries);
    if (found.length > 0) return found;
  }
  return [];
}

/** Toolsets that HolmesGPT turns on by default, and that other documents mention but the next one does not. */
function unmentioned(others: readonly ListedEntry[], next: readonly ListedEntry[]): readonly ListedEntry[] {
  const there = new Set(next.map(({ name }) => name));
  const names = others.flatMap(({ section, name }) =>
    section === 'toolsets' && isDefault(name) && !there.has(name) ? [name] : [],
  );
  return [...new Set(names)].map((name) => ({
    section: 'toolsets',
    name,
    fields: {},
    hosts: [],
  }));
}

/**
 * The entries with which HolmesGPT would run tools without asking, although it asks before them now. Each is compared with
 * those of the same name, and with those that lead to the same MCP server under any name.
 * @param standing toolsets, newest first: the newest one with such an entry counts
 * @param overrides whose patterns count too, because they may not be published yet
 */
export function loosened(
  standing: readonly Toolset[],
  next: Toolset,
  overrides: Overrides = NO_OVERRIDES,
): readonly string[] {
  const earlier = standing.map(entriesIn);
  const wanted = wantedEntries(overrides);
  const there = entriesIn(next);
  const all = [...there, ...unmentioned([...(earlier[0] ?? []), ...wanted], there)];
  const loose = all.filter((entry) => {
    if (isSwitchedOff(entry.fields)) return false;
    const asking = [namesakes, sameServers].flatMap((counterparts) => [
      ...newest(earlier, (entries) => counterparts(entries, entry)).map(patternsOf),
      ...counterparts(wanted, entry).map(wantedPatterns),
    ]);
    return asking.some((patterns) => isLooser(patterns, patternsOf(entry)));
  });
  return [...new Set(loose.map(({ name }) => name))];
}

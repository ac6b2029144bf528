import type { Documents } from '../../model/documents.ts';
import { isMapping, type Mapping } from '../../model/mapping.ts';
import { NO_OVERRIDES, type Overrides } from '../../model/overrides.ts';
import { exceptionsIn } from './approval.ts';
import { FILE } from './merge.ts';
import { patchIn } from './overrides.ts';
import { own, readMapping } from './yaml.ts';

/** The sections with entries that may have patterns. */
const SECTIONS = ['mcp_servers', 'toolsets'];

/** The entries of a document by their path, which is joined to a text. */
function entriesOf(document: Mapping): ReadonlyMap<string, Mapping> {
  return new Map(
    SECTIONS.flatMap((section) => {
      const entries = own(document, section);
      return Object.entries(isMapping(entries) ? entries : {}).flatMap(([name, entry]) =>
        isMapping(entry) ? [[JSON.stringify([section, name]), entry] as const] : [],
      );
    }),
  );
}

/** The same of a text. Empty if it cannot be read. */
function entriesIn(documents: Documents): ReadonlyMap<string, Mapping> {
  const read = readMapping(documents[FILE] ?? '');
  return 'fault' in read ? new Map() : entriesOf(read.value);
}

/** The patterns of the tools before which HolmesGPT asks. */
function patternsOf(entry: Mapping): readonly string[] {
  const patterns = own(entry, 'approval_required_tools');
  return Array.isArray(patterns) ? patterns.filter((each) => typeof each === 'string') : [];
}

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

/**
 * The entries with which HolmesGPT would run tools without asking before which it asks now.
 * @param standing documents, newest first: each entry is compared with the newest one of its name
 * @param overrides whose patterns count too, because they may not be published yet
 */
export function loosened(
  standing: readonly Documents[],
  next: Documents,
  overrides: Overrides = NO_OVERRIDES,
): readonly string[] {
  const earlier = standing.map(entriesIn);
  const wanted = entriesOf(patchIn(overrides));
  return [...entriesIn(next)].flatMap(([path, entry]) => {
    if (own(entry, 'enabled') === false) return [];
    const before = earlier.find((entries) => entries.has(path))?.get(path);
    const asking = [before, wanted.get(path)].flatMap((each) =>
      each === undefined ? [] : [patternsOf(each)],
    );
    const [, name] = JSON.parse(path) as [string, string];
    return asking.some((patterns) => isLooser(patterns, patternsOf(entry))) ? [name] : [];
  });
}

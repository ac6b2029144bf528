import type { Mapping } from '../../../model/mapping.ts';
import { same } from '../../../model/same.ts';
import { own, readMapping } from '../yaml.ts';
import { SECTIONS, sections, type Version } from './hand-written.ts';
import type { Rebased } from './rebase.ts';
import { has, mappingOf } from './three-way.ts';
import type { AppliedSave } from './version-line.ts';

const sectionOf = (document: Mapping, section: string): Mapping => mappingOf(own(document, section));

/** The document of a save; empty if it cannot be read. */
function documentOf({ file }: AppliedSave): Mapping {
  const read = readMapping(file);
  return 'fault' in read ? {} : sections(read.value);
}

/**
 * An edit without what earlier edits of the same version had, too, and which was applied then: if somebody removed or changed
 * it since, it does not return. `others` has the entries of which that is the case.
 * @param before the version that all of them began with
 * @param saves the earlier edits
 * @param now the current version
 */
export function sinceEarlier(
  before: Version,
  edited: Mapping,
  saves: readonly AppliedSave[],
  now: Version,
): Pick<Rebased, 'document' | 'others'> {
  if (saves.length === 0) return { document: edited, others: [] };
  const earlier = saves.map((save) => ({ document: documentOf(save), lost: new Set(save.lost) }));
  const others: string[] = [];
  const document = { ...edited };
  for (const section of SECTIONS) {
    if (!has(edited, section)) continue;
    const [base, current] = [sectionOf(before.merged, section), sectionOf(now.merged, section)];
    const isApplied = (name: string, entry: unknown): boolean =>
      !same(base[name], entry) &&
      earlier.some(
        (save) =>
          has(sectionOf(save.document, section), name) &&
          same(sectionOf(save.document, section)[name], entry) &&
          !save.lost.has(`${section} ${name}`),
      );
    document[section] = Object.fromEntries(
      Object.entries(sectionOf(edited, section)).flatMap(([name, entry]): [string, unknown][] => {
        if (!isApplied(name, entry)) return [[name, entry]];
        if (!same(current[name], entry)) others.push(`${section} ${name}`);
        return has(base, name) ? [[name, base[name]]] : [];
      }),
    );
  }
  return { document, others };
}

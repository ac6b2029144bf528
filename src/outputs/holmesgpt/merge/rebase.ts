import { keysOf, type Mapping, mappingOf } from '../../../model/mapping.ts';
import { same } from '../../../model/same.ts';
import { own } from '../yaml.ts';
import { SECTIONS, type Version } from './hand-written.ts';
import { partsOf, partsWithout, placesOf } from './places.ts';
import { withdrawnSince } from './withdrawn.ts';

/** The list of tools before which the agent asks. */
const QUESTIONS = 'approval_required_tools';

/** An edit as if it had been made in another version. */
export interface Rebased {
  /** The hand-written document with the edit. */
  readonly handWritten: Mapping;
  /** Entries with changes that were not applied, because they were removed or changed meanwhile: `toolsets prometheus/metrics`. */
  readonly lost: readonly string[];
  /** Entries that people changed since the version that the edit began with, and that it has as they were before. */
  readonly others: readonly string[];
}

/**
 * Applies an edit of an earlier version: what people wrote of an entry is what it would be if the edit had been saved at once.
 *
 * Changes of an entry that people changed meanwhile are not applied: which parts of it belong together, such as a header and an address,
 * only its author knows. Neither are changes that would bring back what was withdrawn meanwhile, also under another name, or that
 * replace a list of tools before which the agent asks, if that list is another one now.
 * @param before the version that the edit began with
 * @param edit the edited file, and the hand-written document that it makes of that version
 * @param now the current version
 * @param touched the entries that people changed meanwhile, also if they are as before again
 */
export function rebased(
  before: Version,
  edit: { readonly file: Mapping; readonly handWritten: Mapping },
  now: Version,
  touched: ReadonlySet<string>,
): Rebased {
  const lost: string[] = [];
  const others: string[] = [];
  const isWithdrawn = withdrawnSince(before.merged, now.merged);
  const rebasedSection = (section: string): Mapping => {
    const of = (document: Mapping): Mapping => mappingOf(own(document, section));
    const [base, file, current] = [of(before.merged), of(edit.file), of(now.merged)];
    const [old, written, ours] = [of(before.handWritten), of(edit.handWritten), of(now.handWritten)];
    const isContested = (name: string): boolean =>
      touched.has(`${section} ${name}`) || !same(own(old, name), own(ours, name));
    /** What entries of the base had that is no longer so. */
    const isOfChanged = placesOf(
      Object.keys(base).flatMap((name) =>
        isContested(name)
          ? partsOf(section, base[name])
          : partsWithout(section, base[name], own(current, name)),
      ),
    );
    const refused = Object.keys(file).filter((name) => !Object.hasOwn(base, name) && isOfChanged(file[name]));
    const isRefused = placesOf(refused.map((name) => file[name]));
    const asks = (document: Mapping, name: string): unknown => own(own(document, name), QUESTIONS);
    const isLost = (name: string): boolean => {
      if (refused.includes(name)) return true;
      // An entry that is removed, and added with another name, which is refused, stays.
      if (!Object.hasOwn(file, name)) return isRefused(own(base, name));
      if (Object.hasOwn(base, name) && !Object.hasOwn(current, name)) return true;
      const isOther = !same(asks(base, name), asks(current, name));
      if (isOther && asks(written, name) !== undefined) return true;
      return (
        isWithdrawn(written[name]) || partsWithout(section, written[name], own(old, name)).some(isOfChanged)
      );
    };
    const entries = keysOf(ours, written, base).flatMap((name): [string, unknown][] => {
      const kept: [string, unknown][] = Object.hasOwn(ours, name) ? [[name, ours[name]]] : [];
      if (isContested(name)) {
        const isEdited = !same(own(file, name), own(base, name));
        if (!same(own(file, name), own(current, name))) (isEdited ? lost : others).push(`${section} ${name}`);
        return kept;
      }
      if (same(own(written, name), own(old, name))) return kept;
      if (!isLost(name)) return Object.hasOwn(written, name) ? [[name, written[name]]] : [];
      lost.push(`${section} ${name}`);
      return kept;
    });
    return Object.fromEntries(entries);
  };
  const sections = SECTIONS.map((section) => [section, rebasedSection(section)] as const);
  const handWritten = Object.fromEntries(sections.filter(([, entries]) => Object.keys(entries).length > 0));
  return { handWritten, lost, others };
}

import { isMapping, type Mapping } from '../../../model/mapping.ts';
import { same } from '../../../model/same.ts';
import { own } from '../yaml.ts';
import { SECTIONS, type Version } from './hand-written.ts';
import { partsOf, partsWithout, placesOf } from './places.ts';
import { generatedIn, rebasedEntry } from './rebase-entry.ts';
import { type Context, has, keysOf, mappingOf, QUESTIONS, rebasedValue } from './three-way.ts';
import { withdrawnSince } from './withdrawn.ts';

/** An edit as if it had been made in another version. */
export interface Rebased {
  readonly document: Mapping;
  /** Entries that the person wrote or removed (`null`), which are hand-written although they make no difference now. */
  readonly explicit: Mapping;
  /** Entries with changes that were not applied, because they were removed or changed meanwhile: `toolsets prometheus/metrics`. */
  readonly lost: readonly string[];
  /** Entries that people changed since the version that the edit began with, and that it has as they were before. */
  readonly others: readonly string[];
}

/**
 * An edit of one version of the file, as if it had been made in another one: only what the person changed counts. What was
 * removed meanwhile stays away, and so do changes of it. Lists have the additions of both sides, and nothing that either side
 * removed. Of two persons who change the same entry, the first one's changes stay: which parts of an entry belong together, only
 * its author knows. An entry with another name for something that changed meanwhile is not added.
 * @param before the version that the edit began with
 * @param edited the edited file
 * @param now the current version
 * @param hasInstances whether the agent supports several backends per toolset
 * @param touched the entries that people changed meanwhile, also if they are as before again
 */
export function rebased(
  before: Version,
  edited: Mapping,
  now: Version,
  { hasInstances, touched }: { readonly hasInstances: boolean; readonly touched: ReadonlySet<string> },
): Rebased {
  const lost = new Set<string>();
  const others: string[] = [];
  const isWithdrawn = withdrawnSince(before.merged, now.merged);
  const document = Object.fromEntries(
    SECTIONS.flatMap((section): [string, unknown][] => {
      const of = (document: Mapping): Mapping => mappingOf(own(document, section));
      const [base, change, current] = [of(before.merged), of(edited), of(now.merged)];
      const isContested = (name: string): boolean =>
        touched.has(`${section} ${name}`) || !same(of(before.handWritten)[name], of(now.handWritten)[name]);
      /** What entries of the base had that is no longer so. */
      const isOfChanged = placesOf(
        Object.keys(base).flatMap((name) =>
          isContested(name) ? partsOf(base[name]) : partsWithout(base[name], current[name]),
        ),
      );
      /** Other names for something of the base that changed. */
      const taken = new Set(
        Object.keys(change).filter(
          (name) => !has(base, name) && (isOfChanged(change[name]) || isWithdrawn(change[name])),
        ),
      );
      const isTaken = placesOf([...taken].map((name) => change[name]));
      // Removed by this edit, and in force as it is now.
      const staying = Object.keys(base).filter(
        (name) => !has(change, name) && has(current, name) && (isContested(name) || isTaken(base[name])),
      );
      const entries = keysOf(current, change).flatMap((name): [string, unknown][] => {
        const lose = (): void => void lost.add(`${section} ${name}`);
        const [old, theirs, ours] = [base[name], change[name], current[name]];
        if (isContested(name) || staying.includes(name)) {
          if (!same(theirs, old) && !same(theirs, ours)) lose();
          else if (!same(theirs, ours)) others.push(`${section} ${name}`);
          return has(current, name) ? [[name, ours]] : [];
        }
        if (!has(change, name)) return has(base, name) ? [] : [[name, ours]];
        // Beside what is generated since, an added entry is hand-written as it is.
        if (!has(base, name) && has(current, name)) return [[name, ours]];
        if (has(current, name)) {
          const context: Context = { lose, isWithdrawn, ...generatedIn(of(now.generated)[name]) };
          if (!isMapping(theirs) || !isMapping(ours))
            return [[name, rebasedValue([old, theirs, ours], context)]];
          return [[name, rebasedEntry(name, [mappingOf(old), theirs, ours], hasInstances, context)]];
        }
        if (!has(base, name)) {
          if (taken.has(name)) lose();
          return taken.has(name) ? [] : [[name, theirs]];
        }
        if (!same(theirs, old)) lose();
        return [];
      });
      const isMissing = entries.length === 0 && !has(now.merged, section);
      return isMissing ? [] : [[section, Object.fromEntries(entries)]];
    }),
  );
  return { document, explicit: explicitIn(before, edited, now, { document, lost }), lost: [...lost], others };
}

/**
 * What the person wrote or removed, and has no difference from the current version: the entries that are generated now, too, lists of
 * tools before which the agent asks, and, as `null`, the entries that are not generated any more.
 */
function explicitIn(
  before: Version,
  edited: Mapping,
  now: Version,
  { document, lost }: { readonly document: Mapping; readonly lost: ReadonlySet<string> },
): Mapping {
  return Object.fromEntries(
    SECTIONS.map((section) => {
      const of = (version: Mapping): Mapping => mappingOf(own(version, section));
      const [base, change] = [of(before.merged), of(edited)];
      const gone = Object.keys(of(before.generated)).filter(
        (name) => has(base, name) && !has(change, name) && !has(of(now.generated), name),
      );
      const added = Object.keys(change).filter(
        (name) =>
          ![base, of(before.generated)].some((each) => has(each, name)) &&
          has(of(now.generated), name) &&
          same(of(before.handWritten)[name], of(now.handWritten)[name]),
      );
      const asked = Object.keys(change).filter(
        (name) =>
          has(base, name) &&
          has(change[name], QUESTIONS) &&
          !same(own(base[name], QUESTIONS), own(change[name], QUESTIONS)) &&
          !lost.has(`${section} ${name}`) &&
          has(of(document)[name], QUESTIONS),
      );
      const entries = [
        ...gone.map((name) => [name, null] as const),
        ...added.map((name) => [name, change[name]] as const),
        ...asked.map((name) => [name, { [QUESTIONS]: own(of(document)[name], QUESTIONS) }] as const),
      ];
      return [section, Object.fromEntries(entries)] as const;
    }).filter(([, entries]) => Object.keys(entries).length > 0),
  );
}

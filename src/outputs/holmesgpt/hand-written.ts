import { isMapping, type Mapping } from '../../model/mapping.ts';
import { same } from '../../model/same.ts';
import { own } from './yaml.ts';

const SECTIONS = ['toolsets', 'mcp_servers'] as const;

/** The state at the time of the last write. */
export interface LastWrite {
  readonly generated: Mapping;
  readonly handWritten: Mapping;
  /** The merged document that was written. */
  readonly merged: Mapping;
}

/**
 * The hand-written part of an edited file, as a patch to the generated document: everything that was changed or removed
 * since the last write, and the earlier hand-written text that still stands.
 */
export function changedBy(edited: Mapping, { generated, handWritten, merged }: LastWrite): Mapping {
  const keys = new Set([...Object.keys(handWritten), ...Object.keys(merged), ...Object.keys(edited)]);
  return Object.fromEntries(
    [...keys].flatMap((key): [string, unknown][] => {
      const kept: [string, unknown][] = Object.hasOwn(handWritten, key) ? [[key, handWritten[key]]] : [];
      const now = own(edited, key);
      const before = own(merged, key);
      if (Object.hasOwn(edited, key) === Object.hasOwn(merged, key) && same(now, before)) return kept;
      if (!Object.hasOwn(edited, key)) return Object.hasOwn(generated, key) ? [[key, null]] : [];
      if (!isMapping(now)) return [[key, now]];
      const below = own(generated, key);
      const mine = own(handWritten, key);
      const underneath = isMapping(below) ? below : {};
      const part = changedBy(now, {
        generated: underneath,
        handWritten: isMapping(mine) ? mine : {},
        // A value that was removed or was no mapping is compared with the generated value.
        merged: isMapping(before) ? before : underneath,
      });
      const needed = Object.keys(part).length > 0 || kept.length > 0 || !isMapping(below);
      return needed ? [[key, part]] : [];
    }),
  );
}

/**
 * The hand-written part of a file that replaced the merged one: everything except generated entries that did not change.
 * Earlier hand-written entries that did not change keep their original text.
 */
export function replacedBy(file: Mapping, { handWritten, merged }: LastWrite): Mapping {
  return Object.fromEntries(
    Object.entries(file).map(([section, entries]) => {
      if (!SECTIONS.some((name) => name === section) || !isMapping(entries)) return [section, entries];
      const last = own(merged, section);
      const mine = own(handWritten, section);
      return [
        section,
        Object.fromEntries(
          Object.entries(entries).flatMap(([name, entry]): [string, unknown][] => {
            if (own(last, name) === undefined || !same(entry, own(last, name))) return [[name, entry]];
            return isMapping(mine) && Object.hasOwn(mine, name) ? [[name, mine[name]]] : [];
          }),
        ),
      ];
    }),
  );
}

/**
 * Applies what changed between two states to a third one. Lists and values are replaced as a whole. What is missing
 * from the third one is not restored, except for what changed.
 */
export function reapplied(before: Mapping, after: Mapping, now: Mapping): Mapping {
  const kept = Object.entries(now).filter(
    ([key]) => !Object.hasOwn(before, key) || Object.hasOwn(after, key),
  );
  const changed = Object.entries(after).flatMap(([key, value]): [string, unknown][] => {
    const [old, here] = [own(before, key), own(now, key)];
    if (Object.hasOwn(before, key) && same(old, value)) return [];
    if (!isMapping(value) || !(isMapping(here) || isMapping(old))) return [[key, value]];
    const part = reapplied(isMapping(old) ? old : {}, value, isMapping(here) ? here : {});
    return isMapping(here) || Object.keys(part).length > 0 ? [[key, part]] : [];
  });
  return Object.fromEntries([...kept, ...changed]);
}

const SERVERS = 'mcp_servers';
const APPROVALS = 'approval_required_tools';

/** Whether an entry is one that this program makes for a Service: its key is the Service, and so is its host. */
function isOfService(key: string, entry: unknown): boolean {
  const [namespace, name, ...more] = key.split('/');
  const url = own(own(entry, 'config'), 'url');
  if (name === undefined || more.length > 0 || typeof url !== 'string') return false;
  return URL.parse(url)?.hostname.startsWith(`${name}.${namespace}.svc`) === true;
}

/**
 * The hand-written part of an edit that began before something changed in the generated servers, without what would undo
 * that: a list of tools before which the agent asks has the entries of both, and, if it is unknown with what the edit began,
 * servers that are no longer generated are not taken for the person's.
 * @param next the hand-written part
 * @param last the state with which the edit is compared
 * @param generated what is generated now
 * @param isOutdated whether the edit may have begun with another state
 */
export function withoutUndoing(
  next: Mapping,
  last: LastWrite,
  generated: Mapping,
  isOutdated: boolean,
): Mapping {
  const servers = own(next, SERVERS);
  if (!isMapping(servers)) return next;
  const [theirs, before, now] = [last.handWritten, last.generated, generated].map((each) =>
    own(each, SERVERS),
  );
  const kept = Object.entries(servers).flatMap(([key, entry]): [string, unknown][] => {
    const fields = own(now, key);
    if (isOutdated && own(theirs, key) === undefined && fields === undefined && isOfService(key, entry))
      return [];
    const list = own(fields, APPROVALS);
    const written = own(entry, APPROVALS);
    const isSettled =
      !isMapping(entry) ||
      !Array.isArray(list) ||
      written === undefined ||
      same(written, own(own(theirs, key), APPROVALS)) ||
      (!isOutdated && same(list, own(own(before, key), APPROVALS)));
    if (isSettled) return [[key, entry]];
    const added = Array.isArray(written) ? written.filter((each) => !list.includes(each)) : [];
    return [[key, { ...entry, [APPROVALS]: [...list, ...added] }]];
  });
  if (kept.length > 0) return { ...next, [SERVERS]: Object.fromEntries(kept) };
  const { [SERVERS]: _, ...others } = next;
  return others;
}

/**
 * The sections that HolmesGPT reads, without empty ones and `null`. It ignores all other keys, which may hold YAML anchors.
 */
export function sections(file: Mapping): Mapping {
  return Object.fromEntries(
    SECTIONS.flatMap((name): [string, unknown][] => {
      const entries = own(file, name);
      const empty = entries === null || entries === undefined;
      return empty || (isMapping(entries) && Object.keys(entries).length === 0) ? [] : [[name, entries]];
    }),
  );
}

import { type BackendGroup, type BackendId, type BackendMember, byAge } from '../model/backend-id.ts';
import { displayNamespace, HOME_CLUSTER } from '../model/key.ts';
import { isServiceName } from '../model/part.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import { type NamespacedNote, noteEntries, noteOf } from './namespaced-note.ts';
import type { Observed } from './observed.ts';
import { BACKEND_GROUPS } from './plan.ts';

/** Most Services of one backend that are stored. */
const MOST_MEMBERS = 8;
/** Most bytes of the annotation, of the 256 KiB that all annotations of an object may have. */
const MOST_BYTES = 48 * 1024;

/** The groups of backends by their ids. */
export type Groups = ReadonlyMap<BackendId, BackendGroup>;

interface Stored {
  readonly namespace: string;
  readonly group: string;
  readonly members: readonly string[];
}

const serviceOf = ({ cluster = HOME_CLUSTER, namespace, metadata }: PublishedTool): string | undefined =>
  namespace === undefined || metadata.service === undefined
    ? undefined
    : `${displayNamespace({ cluster, namespace })}/${metadata.service}`;

const memberKey = (namespace: string, { name }: BackendMember): string => `${namespace}/${name}`;

const memberOf = (name: string): BackendMember => ({ name, roles: [] });

/** Whether a text is the name of a group, which may end in a number. */
const isGroup = (text: string): boolean => isServiceName(text.replace(/\.\d{1,6}$/, ''));

/** The groups in an annotation. */
function stored(text: string | undefined): readonly Stored[] {
  return noteEntries(text).flatMap(({ namespace, key, value }): Stored[] => {
    if (!isGroup(key) || !Array.isArray(value)) return [];
    const names = [...new Set(value.slice(0, MOST_MEMBERS).map((name) => (name === '' ? key : name)))];
    return names.every(isServiceName) ? [{ namespace, group: key, members: names }] : [];
  });
}

/**
 * The groups of the published backends, as far as what is published says. A group of one namespace never has Services or
 * an id of another one, whatever the texts say.
 */
export function publishedGroups(live: Pick<Observed, 'present' | 'annotations'> | undefined): Groups {
  const tools = new Set((live?.present.tools ?? []).flatMap((tool) => serviceOf(tool) ?? []));
  const groups = new Map<BackendId, BackendGroup>();
  const taken = new Set<string>();
  const add = (id: BackendId, group: BackendGroup): void => {
    const keys = group.members.map((member) => memberKey(group.namespace, member));
    if (groups.has(id) || keys.some((key) => taken.has(key)) || !keys.some((key) => tools.has(key))) return;
    for (const key of keys) taken.add(key);
    groups.set(id, group);
  };
  for (const { namespace, group, members } of stored(live?.annotations[BACKEND_GROUPS]))
    add(`${namespace}/${group}`, { namespace, members: members.map(memberOf) });
  for (const key of tools) {
    const slash = key.lastIndexOf('/');
    add(key, { namespace: key.slice(0, slash), members: [memberOf(key.slice(slash + 1))] });
  }
  return groups;
}

/** The members that are stored: the entry point, then the oldest ones. */
function kept({ namespace, members }: BackendGroup, tools: ReadonlySet<string>): readonly string[] {
  const isEntry = (member: BackendMember): boolean => tools.has(memberKey(namespace, member));
  return members
    .toSorted((a, b) => Number(isEntry(b)) - Number(isEntry(a)) || byAge(a, b))
    .slice(0, MOST_MEMBERS)
    .map(({ name }) => name);
}

/** The annotation for the groups of those backends that are published. */
export function groupsNote(groups: Groups, published: readonly PublishedTool[]): NamespacedNote {
  const tools = new Set(published.flatMap((tool) => serviceOf(tool) ?? []));
  const all = [...groups].flatMap(([id, each]): Stored[] => {
    const { namespace } = each;
    const group = id.slice(namespace.length + 1);
    if (!each.members.some((member) => tools.has(memberKey(namespace, member)))) return [];
    const members = kept(each, tools);
    const isPlain = members.length === 1 && members[0] === group;
    return isPlain
      ? []
      : [{ namespace, group, members: members.map((name) => (name === group ? '' : name)) }];
  });
  const keyOf = ({ namespace, group }: Stored): string => `${namespace}/${group}`;
  const sorted = all.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  return noteOf([
    {
      entries: sorted.map(({ namespace, group, members }) => ({ namespace, key: group, value: members })),
      most: MOST_BYTES,
    },
  ]);
}
